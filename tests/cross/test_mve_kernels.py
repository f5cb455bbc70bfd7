"""The kernels for MVE on the emulated board: many random layers in one image, byte-exact."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from edgec.codegen.selection import Optimize
from edgec.pipeline.compile import Compiled, optimized, write_sources
from edgec.pipeline.graph import Rounding, check
from edgec.pipeline.load import tflite
from edgec.pipeline.plan import plan_memory
from edgec.pipeline.replay import verify_plan
from edgec.pipeline.verify import run_sample
from edgec.targets.profile import load_target
from edgec.targets.session import open_device
from edgec.targets.toolchain import build_image
from tests.support.dsp_layers import extreme_samples
from tests.support.evaluate import run_numpy
from tests.support.flatmodel import FlatModel
from tests.support.mve_layers import draw_model
from tests.support.oracle import assert_close, run_litert


def drawn(number: int) -> FlatModel:
    """The same layers in every run; the first draws are trivial."""
    found: list[FlatModel] = []

    @seed(number)
    @settings(max_examples=5, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def draw(data: st.DataObject) -> None:
        found.append(draw_model(data.draw))

    draw()
    return found[-1]


@pytest.mark.parametrize(
    ("number", "optimize", "rounding"),
    [
        (1, "balanced", Rounding.TFLITE),
        (2, "speed", Rounding.TFLITE),
        (3, "size", Rounding.TFLITE),
        (4, "speed", Rounding.TFLM),
    ],
)
def test_kernels_answer_on_the_board_as_the_reference(
    number: int, optimize: Optimize, rounding: Rounding, tmp_path: Path
) -> None:
    model = drawn(number)
    content = model.bytes()
    target = optimized(load_target("cortex-m55"), optimize)
    source = check(tflite.parse(content, "vectors", rounding))
    graph, plan = plan_memory(source, target.features, optimize)
    verify_plan(graph, plan)
    fast = [step.kernel for step in plan.steps if step.kernel.endswith("_mve")]
    assert len(fast) >= len(plan.steps) // 3
    samples = extreme_samples(model)
    exact = rounding is Rounding.TFLITE
    want = run_litert(content, samples) if exact else run_numpy(source, samples)
    write_sources(Compiled(content, source, graph, plan), target, tmp_path)
    image = build_image(tmp_path / "firmware", target)
    with open_device(image, target) as device:
        got = [run_sample(device, graph, sample) for sample in samples]
    for i, (mine, theirs) in enumerate(zip(got, want, strict=True)):
        for k, (a, b) in enumerate(zip(mine, theirs, strict=True)):
            assert_close(a, b, 0, f"run {i}, output {k}")
