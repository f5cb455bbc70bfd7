"""The kernels for SMLAD on the emulated board: many random layers in one image, byte-exact."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import strategies as st

from edgec.codegen.selection import Optimize
from edgec.pipeline.compile import Compiled, compile_model, optimized
from edgec.pipeline.driver import build
from edgec.pipeline.graph import Rounding, check
from edgec.pipeline.load import tflite
from edgec.pipeline.plan import plan_memory
from edgec.targets.profile import load_target
from tests.support.board import answers
from tests.support.drawing import drawn_model
from tests.support.dsp_layers import add_conv, add_fully_connected, extreme_samples
from tests.support.flatmodel import FlatModel
from tests.support.oracle import assert_all_close, run_litert

LAYERS = {"pointwise": (1, 1), "three by three": (3, 3), "any window": (1, 5)}


def draw_model(kind: str) -> FlatModel:
    """Return 32 layers, the same in every run."""

    def layers(draw: st.DrawFn) -> FlatModel:
        model = FlatModel()
        for i in range(24):
            add_conv(draw, model, LAYERS[kind], whole=i >= 16)
        for _ in range(8):
            add_fully_connected(draw, model)
        return model

    return drawn_model(layers, 12, 4)


@pytest.mark.parametrize(
    ("kind", "name", "optimize"),
    [
        ("pointwise", "cortex-m4", "speed"),
        ("three by three", "cortex-m4", "speed"),
        ("any window", "cortex-m4", "balanced"),
        ("any window", "cortex-m4", "size"),
        ("three by three", "cortex-m7", "speed"),
        ("any window", "cortex-m33", "speed"),
    ],
)
def test_fast_kernels_answer_on_the_board_as_the_interpreter(
    kind: str, name: str, optimize: Optimize, tmp_path: Path
) -> None:
    model = draw_model(kind)
    content = model.bytes()
    target = optimized(load_target(name), optimize)
    source = check(tflite.parse(content, "layers"))
    graph, plan = plan_memory(source, target.features, optimize)
    kernels = [step.kernel for step in plan.steps]
    assert any("_dsp" in kernel for kernel in kernels)
    if kind == "three by three" and optimize == "speed":
        assert any("winograd" in kernel for kernel in kernels)
    samples = extreme_samples(model)
    want = run_litert(content, samples)
    got = answers(Compiled(content, source, graph, plan), target, samples, tmp_path)
    assert_all_close(got, want)


@pytest.mark.parametrize("file", ["ic_resnet8_int8.tflite", "kws_dscnn_int8.tflite"])
def test_stated_costs_are_near_the_counts(
    file: str, benchmark_models: Path, tmp_path: Path
) -> None:
    model = benchmark_models / file
    done = build(model, target="cortex-m4", optimize="speed", samples=1, out=tmp_path / "out")
    target = load_target("cortex-m4")
    compiled = compile_model(model, "model", Rounding.TFLITE, target, "speed")
    ratios = [
        step.cost.instructions / layer.count
        for step, layer in zip(compiled.plan.steps, done.result.layers, strict=True)
        if step.kernel.startswith(("edgec_conv_2d_int8_dsp", "edgec_fully_connected_int8_dsp"))
        and step.cost is not None
        and layer.count > 5000
    ]
    assert len(ratios) >= 5
    assert all(0.9 < ratio < 1.1 for ratio in ratios), ratios
