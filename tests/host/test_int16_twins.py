"""The C twins of the int16 kernels for SMLAD, under sanitizers: equal to the interpreter."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from edgec.pipeline.graph import Rounding, check
from edgec.pipeline.load import tflite
from edgec.pipeline.plan import plan_memory
from tests.support.evaluate import run_numpy
from tests.support.hostc import run_host
from tests.support.int16_layers import draw_model, extreme_samples, first_model
from tests.support.oracle import assert_all_close, run_litert

EXAMPLES = int(os.environ.get("EDGEC_EXAMPLES", "2"))
DSP = frozenset({"dsp"})


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_twins_equal_the_interpreter(compiler: str) -> None:
    @seed(9)
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def run(data: st.DataObject) -> None:
        model = draw_model(data.draw)
        content = model.bytes()
        graph = check(tflite.parse(content, "twins"))
        samples = extreme_samples(model)
        want = run_litert(content, samples)
        with tempfile.TemporaryDirectory() as folder:
            got = run_host(graph, samples, Path(folder), compiler, DSP, "speed")
        assert_all_close(got, want)

    run()


def test_twins_equal_numpy_with_the_rounding_of_tflm(tmp_path: Path) -> None:
    model = first_model()
    graph = check(tflite.parse(model.bytes(), "twins", Rounding.TFLM))
    samples = extreme_samples(model)
    want = run_numpy(graph, samples)
    got = run_host(graph, samples, tmp_path, "gcc", DSP, "speed")
    assert_all_close(got, want)


def test_most_layers_of_a_random_model_take_the_fast_kernels() -> None:
    graph = check(tflite.parse(first_model().bytes(), "twins"))
    _, plan = plan_memory(graph, DSP, "speed")
    fast = [step.kernel for step in plan.steps if "_dsp" in step.kernel]
    assert len(fast) >= len(plan.steps) // 2
