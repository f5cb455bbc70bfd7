"""Generated C, compared with files a person has read; `--update-golden` writes them anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgec.codegen.emit import Origin, emit
from edgec.pipeline.graph import check
from edgec.pipeline.load import tflite
from edgec.pipeline.plan import plan_memory
from tests.support.models import small_cnn

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "small"
FEATURES = {"portable": frozenset[str](), "dsp": frozenset({"dsp", "fpu"})}


@pytest.mark.parametrize("core", FEATURES)
def test_generated_c_is_as_it_was_read(core: str, request: pytest.FixtureRequest) -> None:
    graph = check(tflite.parse(small_cnn(), "small"))
    ordered, plan = plan_memory(graph, FEATURES[core])
    files = emit(ordered, plan, Origin("0.0.0", core))
    for name in ("small.h", "small.c"):
        golden = GOLDEN / core / name
        if request.config.getoption("--update-golden"):
            golden.parent.mkdir(parents=True, exist_ok=True)
            golden.write_text(files[name], encoding="utf-8")
        assert files[name] == golden.read_text(encoding="utf-8"), f"{golden} differs"
