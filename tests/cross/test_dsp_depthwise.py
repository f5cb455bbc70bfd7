"""Depthwise, sum and pooling kernels of cores with SIMD on the emulated board, byte-exact."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import strategies as st

from edgec.codegen.selection import Optimize
from edgec.pipeline.compile import Compiled, optimized
from edgec.pipeline.graph import check
from edgec.pipeline.load import tflite
from edgec.pipeline.plan import plan_memory
from edgec.targets.profile import load_target
from tests.support.board import answers
from tests.support.drawing import drawn_model
from tests.support.dsp_layers import extreme_samples
from tests.support.flatmodel import FlatModel
from tests.support.oracle import assert_all_close, run_litert
from tests.support.plane_layers import add_layers
from tests.support.rivals import kernels_in_turn


def draw_model(number: int) -> FlatModel:
    def layers(draw: st.DrawFn) -> FlatModel:
        model = FlatModel()
        add_layers(draw, model)
        return model

    return drawn_model(layers, number, 5)


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
    assert ("dsp" in target.features) == any("3x3" in step.kernel for step in plan.steps)
    samples = extreme_samples(model)
    want = run_litert(content, samples)
    got = answers(Compiled(content, source, graph, plan), target, samples, tmp_path)
    assert_all_close(got, want)
