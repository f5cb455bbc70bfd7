"""The C twins of the kernels for MVE, under sanitizers: equal to the reference kernels."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from edgec.pipeline.graph import Rounding, check
from edgec.pipeline.load import tflite
from tests.support.dsp_layers import extreme_samples
from tests.support.evaluate import run_numpy
from tests.support.hostc import run_host
from tests.support.mve_layers import draw_model
from tests.support.oracle import assert_all_close, run_litert

EXAMPLES = int(os.environ.get("EDGEC_EXAMPLES", "2"))
MVE = frozenset({"dsp", "fpu", "mve"})


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("rounding", list(Rounding))
def test_twins_equal_the_reference(rounding: Rounding, compiler: str) -> None:
    @seed(3)
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def run(data: st.DataObject) -> None:
        model = draw_model(data.draw)
        content = model.bytes()
        graph = check(tflite.parse(content, "twins", rounding))
        samples = extreme_samples(model)
        if rounding is Rounding.TFLITE:
            want = run_litert(content, samples)
        else:
            want = run_numpy(graph, samples)
        with tempfile.TemporaryDirectory() as folder:
            got = run_host(graph, samples, Path(folder), compiler, MVE, "balanced")
        assert_all_close(got, want)

    run()
