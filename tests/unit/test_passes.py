"""Graph rewrites are exact: the rewritten graph answers as the one it came from."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given, settings
from hypothesis import strategies as st

from edgec.pipeline.graph import Graph, check
from edgec.pipeline.load import tflite
from edgec.pipeline.passes import PASSES
from edgec.targets.profile import load_target
from tests.support.evaluate import run_numpy
from tests.support.flatmodel import FlatModel
from tests.support.oracle import assert_close, run_litert

TARGET = load_target("cortex-m4")


def with_constants_and_dead_ends(seed: int) -> FlatModel:
    """Sums of inputs and constants, where some sums are constant and some are never read."""
    rng = np.random.default_rng(seed)
    model = FlatModel()
    shape = (1, int(rng.integers(1, 20)))
    values = [model.input(shape, "int8", 0.1, 3)]
    for _ in range(3):
        data = rng.integers(-128, 128, shape).astype(np.int8)
        values.append(model.tensor(shape, "int8", 0.07, -9, data=data))
    for _ in range(8):
        out = model.tensor(shape, "int8", float(np.float32(rng.uniform(0.05, 0.3))), 1)
        pair = [int(v) for v in rng.choice(values, 2)]
        model.op("ADD", pair, [out], schema.AddOptionsT())
        values.append(out)
    model.op("ADD", [values[0], values[-1]], [model.output(shape, "int8", 0.2, 0)],
             schema.AddOptionsT())  # fmt: skip
    return model


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31))
def test_replay_gives_the_interpreters_bytes_after_every_pass(seed: int) -> None:
    model = with_constants_and_dead_ends(seed)
    content = model.bytes()
    sample = model.draw_inputs(seed)
    want = run_litert(content, [sample])[0]
    graph = check(tflite.parse(content, "m"))
    for run in PASSES:
        graph = check(run(graph, TARGET))
        for got, wanted in zip(run_numpy(graph, [sample])[0], want, strict=True):
            assert_close(got, wanted, 0, run.__module__)


def ops(graph: Graph) -> list[str]:
    return [op.builtin for op in graph.ops]


@pytest.mark.parametrize("seed", range(4))
def test_nothing_constant_or_unread_is_left(seed: int) -> None:
    graph = check(tflite.parse(with_constants_and_dead_ends(seed).bytes(), "m"))
    for run in PASSES:
        graph = run(graph, TARGET)
    read = {name for op in graph.ops for name in op.inputs} | set(graph.outputs)
    assert all(set(op.outputs) & read for op in graph.ops)
    assert all(any(graph[n].data is None for n in op.inputs) for op in graph.ops)
