"""Kernels are chosen by stated cost, and fall back one by one where flash is short."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edgec.codegen.selection import CODE_BYTES, choose_steps
from edgec.pipeline.graph import Graph, check
from edgec.pipeline.load import tflite
from tests.support.flatmodel import FlatModel

DSP = frozenset({"dsp"})


@pytest.fixture(scope="module")
def graph() -> Graph:
    """Three 3x3 convolutions with many channels, for which Winograd pays."""
    rng = np.random.default_rng(0)
    model = FlatModel()
    options = schema.Conv2DOptionsT()
    options.strideH = options.strideW = 1
    value = model.input((1, 8, 8, 32), "int8", 0.1, 0)
    for last in (False, False, True):
        weights = model.tensor((32, 3, 3, 32), "int8", [0.001] * 32,
                               data=rng.integers(-20, 20, (32, 3, 3, 32)))  # fmt: skip
        bias = model.tensor((32,), "int32", data=np.zeros(32))
        make = model.output if last else model.tensor
        out = make((1, 8, 8, 32), "int8", 0.1, 0)
        model.op("CONV_2D", [value, weights, bias], [out], options)
        value = out
    return check(tflite.parse(model.bytes(), "m"))


def flash(graph: Graph, mode: str, budget: int | None = None) -> tuple[int, int]:
    """Flash and instructions of the chosen kernels, as stated."""
    steps = choose_steps(graph, DSP, mode, budget).values()
    return sum(s.cost.flash_bytes for s in steps), sum(s.cost.instructions for s in steps)


def test_modes_trade_flash_for_instructions(graph: Graph) -> None:
    size, balanced, speed = (flash(graph, mode) for mode in ("size", "balanced", "speed"))
    assert size[0] <= balanced[0] < speed[0]
    assert size[1] >= balanced[1] > speed[1]


def test_layers_fall_back_one_by_one_until_they_fit(graph: Graph) -> None:
    least, most = flash(graph, "size"), flash(graph, "speed")
    kinds = set()
    for share in (0.2, 0.5, 0.8):
        budget = int(least[0] + share * (most[0] - least[0])) + CODE_BYTES
        got = flash(graph, "speed", budget)
        assert got[0] <= budget - CODE_BYTES
        assert got[1] >= most[1]
        kinds.add(got[1])
    assert len(kinds) == 3
    assert flash(graph, "speed", 100)[0] == least[0]
