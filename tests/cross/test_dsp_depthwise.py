"""Depthwise, sum and pooling kernels of cores with SIMD on the emulated board, byte-exact."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from edgec.codegen.selection import Optimize
from edgec.pipeline.compile import Compiled, optimized, write_sources
from edgec.pipeline.graph import check
from edgec.pipeline.load import tflite
from edgec.pipeline.plan import plan_memory
from edgec.pipeline.replay import verify_plan
from edgec.pipeline.verify import run_sample
from edgec.targets.profile import load_target
from edgec.targets.session import open_device
from edgec.targets.toolchain import build_image
from tests.support.dsp_layers import extreme_samples
from tests.support.flatmodel import FlatModel
from tests.support.oracle import assert_close, run_litert
from tests.support.plane_layers import add_layers
from tests.support.rivals import kernels_in_turn


def draw_model(number: int) -> FlatModel:
    """The same layers in every run; the first draws are trivial."""
    found: list[FlatModel] = []

    @seed(number)
    @settings(max_examples=5, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def draw(data: st.DataObject) -> None:
        model = FlatModel()
        add_layers(data.draw, model)
        found.append(model)

    draw()
    return found[-1]


@pytest.mark.parametrize(
    ("number", "name", "optimize"),
    [
        (1, "cortex-m4", "balanced"),
        (2, "cortex-m4", "speed"),
        (3, "cortex-m4", "size"),
        (4, "cortex-m7", "speed"),
        (5, "cortex-m33", "balanced"),
        (6, "cortex-m0plus", "balanced"),
        (7, "cortex-m3", "speed"),
    ],
)
def test_kernels_answer_on_the_board_as_the_interpreter(
    number: int, name: str, optimize: Optimize, tmp_path: Path
) -> None:
    model = draw_model(number)
    content = model.bytes()
    target = optimized(load_target(name), optimize)
    source = check(tflite.parse(content, "planes"))
    steps = kernels_in_turn(source, target.features, optimize)
    graph, plan = plan_memory(source, steps=steps)
    verify_plan(graph, plan)
    assert ("dsp" in target.features) == any("3x3" in step.kernel for step in plan.steps)
    samples = extreme_samples(model)
    want = run_litert(content, samples)
    write_sources(Compiled(content, source, graph, plan), target, tmp_path)
    image = build_image(tmp_path / "firmware", target)
    with open_device(image, target) as device:
        got = [run_sample(device, graph, sample) for sample in samples]
    for i, (mine, theirs) in enumerate(zip(got, want, strict=True)):
        for k, (a, b) in enumerate(zip(mine, theirs, strict=True)):
            assert_close(a, b, 0, f"run {i}, output {k}")
