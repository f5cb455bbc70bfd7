"""Kernels of clustered and sparse weights on the emulated boards, byte-exact."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from edgec.codegen.registry import Io, Step, as_kernel_op
from edgec.codegen.selection import Optimize
from edgec.pipeline.compile import Compiled, optimized, write_sources
from edgec.pipeline.graph import Graph, check
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
from tests.support.sparse_layers import add_packed_conv, add_packed_fully_connected


def draw_model() -> FlatModel:
    """The same 48 layers in every run; the first draws are trivial."""
    found: list[FlatModel] = []

    @seed(12)
    @settings(max_examples=3, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def draw(data: st.DataObject) -> None:
        model = FlatModel()
        for i in range(32):
            add_packed_conv(data.draw, model, (1, 1) if i % 2 else (1, 5))
        for _ in range(16):
            add_packed_fully_connected(data.draw, model)
        found.append(model)

    draw()
    return found[-1]


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
    verify_plan(graph, plan)
    samples = extreme_samples(model)
    want = run_litert(content, samples)
    write_sources(Compiled(content, source, graph, plan), target, tmp_path)
    image = build_image(tmp_path / "firmware", target)
    with open_device(image, target) as device:
        got = [run_sample(device, graph, sample) for sample in samples]
    for i, (mine, theirs) in enumerate(zip(got, want, strict=True)):
        for k, (a, b) in enumerate(zip(mine, theirs, strict=True)):
            assert_close(a, b, 0, f"run {i}, output {k}")
