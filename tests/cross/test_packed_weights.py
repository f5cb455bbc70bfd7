"""Kernels of clustered and sparse weights on the emulated boards, byte-exact."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import strategies as st

from edgec.codegen.registry import Io, Step, as_kernel_op
from edgec.codegen.selection import Optimize
from edgec.pipeline.compile import Compiled, optimized
from edgec.pipeline.graph import Graph, check
from edgec.pipeline.load import tflite
from edgec.pipeline.plan import plan_memory
from edgec.targets.profile import load_target
from tests.support.board import answers
from tests.support.drawing import drawn_model
from tests.support.dsp_layers import extreme_samples
from tests.support.flatmodel import FlatModel
from tests.support.oracle import assert_all_close, run_litert
from tests.support.sparse_layers import add_packed_conv, add_packed_fully_connected


def draw_model() -> FlatModel:
    """Return 48 layers, the same in every run."""

    def layers(draw: st.DrawFn) -> FlatModel:
        model = FlatModel()
        for i in range(32):
            add_packed_conv(draw, model, (1, 1) if i % 2 else (1, 5))
        for _ in range(16):
            add_packed_fully_connected(draw, model)
        return model

    return drawn_model(layers, 12, 3)


def steps_of(graph: Graph, features: frozenset[str], kind: str) -> dict[tuple[str, ...], Step]:
    """Return, for every op, the last kernel whose name ends so, or else the last."""
    chosen = {}
    for op in graph.ops:
        kernel, io = as_kernel_op(op), Io.of(graph, op)
        rivals = (kernel.lower(io), *kernel.variants(io, features))
        chosen[op.outputs] = max(rivals, key=lambda step: step.kernel.endswith(kind))
    return chosen


@pytest.mark.parametrize(
    ("name", "optimize", "kind", "least"),
    [
        ("cortex-m4", "speed", "dsp_stored", 8),
        ("cortex-m4", "size", "dsp_squares", 1),
        ("cortex-m4", "speed", "dsp_columns", 4),
        ("cortex-m0plus", "balanced", "_stored", 8),
        ("cortex-m3", "size", "_columns", 4),
        ("cortex-m55", "balanced", "_mve_stored", 4),
    ],
)
def test_boards_answer_as_the_interpreter(
    name: str, optimize: Optimize, kind: str, least: int, tmp_path: Path
) -> None:
    model = draw_model()
    content = model.bytes()
    target = optimized(load_target(name), optimize)
    source = check(tflite.parse(content, "layers"))
    steps = steps_of(source, target.features, kind)
    assert sum(step.kernel.endswith(kind) for step in steps.values()) >= least
    graph, plan = plan_memory(source, target.features, optimize, steps=steps)
    samples = extreme_samples(model)
    want = run_litert(content, samples)
    got = answers(Compiled(content, source, graph, plan), target, samples, tmp_path)
    assert_all_close(got, want)
