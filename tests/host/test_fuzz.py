"""The firmware's decoders under libFuzzer, in short: `make fuzz` goes on for minutes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import lack
from tests.support import fuzzing


@pytest.mark.parametrize("name", fuzzing.FUZZERS)
def test_no_input_breaks_the_firmware(name: str, tmp_path: Path) -> None:
    if why := fuzzing.missing():
        lack("host", why)
    program = fuzzing.build(name, tmp_path)
    said = fuzzing.run(program, tmp_path / "corpus", "-runs=6000", "-seed=1", timeout_s=120)
    done = re.search(r"Done (\d+) runs", said)
    assert done is not None
    assert int(done[1]) >= 6000
    covered = [int(number) for number in re.findall(r"cov: (\d+)", said)]
    assert covered[-1] > 100
