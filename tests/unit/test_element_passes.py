"""Functions of single values, transposes and pads that follow each other become one, or none."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edgec.pipeline.graph import Graph, check
from edgec.pipeline.load import tflite
from edgec.pipeline.oracle import NumpyOracle
from edgec.pipeline.passes import run_passes
from edgec.targets.profile import load_target
from tests.support.flatmodel import FlatModel
from tests.support.oracle import run_litert

TARGET = load_target("cortex-m4")
CODES = np.arange(-128, 128).astype(np.int8)
SHAPE = (1, 4, 8, 8)


class Line:
    """A model whose ops follow each other; every int8 code comes in."""

    def __init__(self, scale: float = 0.05, zero: int = 3) -> None:
        self.model = FlatModel()
        self.at = self.model.input(SHAPE, "int8", scale, zero)
        self.scale, self.zero = scale, zero
        self.shape: tuple[int, ...] = SHAPE

    def then(
        self, builtin: str, options: object = None, scale: float = 0.0, zero: int = 0, *rest: int,
        shape: tuple[int, ...] = (), dtype: str = "int8",
    ) -> Line:  # fmt: skip
        """Add an op; the quantisation stays without a scale."""
        if scale:
            self.scale, self.zero = scale, zero
        self.shape = shape or self.shape
        ends = (self.scale, self.zero) if dtype == "int8" else ()
        out = self.model.tensor(self.shape, dtype, *ends)
        self.model.op(
            builtin, [self.at, *rest], [out], options, version=1 if "N1" in builtin else 2
        )
        self.at = out
        return self

    def clamp(self, builtin: str, value: int) -> Line:
        """Add MAXIMUM or MINIMUM with a constant code."""
        c = self.model.tensor((1,), "int8", self.scale, self.zero, data=[value])
        return self.then(builtin, schema.MaximumMinimumOptionsT(), 0.0, 0, c)

    def scaled(self, value: int) -> Line:
        """Multiply by a constant."""
        c = self.model.tensor((1, 1), "int8", 0.02, 5, data=[[value]])
        return self.then("MUL", schema.MulOptionsT(), 0.06, -9, c)

    def turned(self, *order: int) -> Line:
        """Exchange dimensions."""
        by = self.model.tensor((4,), "int32", data=order)
        shape = tuple(self.shape[i] for i in order)
        return self.then("TRANSPOSE", schema.TransposeOptionsT(), 0.0, 0, by, shape=shape)

    def pool(self) -> Line:
        """Add an op that no table can be."""
        options = schema.Pool2DOptionsT()
        options.strideH = options.strideW = options.filterHeight = options.filterWidth = 1
        return self.then("AVERAGE_POOL_2D", options)

    def convolved(self) -> Line:
        """Add a 3x3 convolution to 4 channels."""
        rng = np.random.default_rng(4)
        depth = self.shape[3]
        w = self.model.tensor((4, 3, 3, depth), "int8", 0.004,
                              data=rng.integers(-127, 128, (4, 3, 3, depth)))  # fmt: skip
        b = self.model.tensor((4,), "int32", data=rng.integers(-99, 100, 4))
        options = schema.Conv2DOptionsT()
        options.strideH = options.strideW = options.padding = 1
        shape = (1, self.shape[1] - 2, self.shape[2] - 2, 4)
        return self.then("CONV_2D", options, 0.1, 9, w, b, shape=shape)

    def left(self) -> list[str]:
        """Return the ops that the passes leave, after a proof that answers are the same."""
        return [op.builtin for op in self.rewritten().ops]

    def rewritten(self) -> Graph:
        """Return the graph after all passes, proven on every code."""
        self.model.graph.outputs = [self.at]
        content = self.model.bytes()
        sample = [CODES.reshape(SHAPE)]
        graph, _ = run_passes(check(tflite.parse(content, "m")), TARGET)
        want = run_litert(content, [sample])[0][0]
        assert np.array_equal(NumpyOracle(graph).run(sample)[0], want)
        return graph


def test_tables_that_follow_each_other_become_one() -> None:
    line = Line().then("LOGISTIC", None, 1 / 256, -128).then("QUANTIZE", None, 0.01, 4)
    assert line.scaled(70).then("TANH", None, 1 / 128, 0).left() == ["TABLE"]


def test_a_table_is_made_of_what_lies_between_float_and_back() -> None:
    line = Line().then("DEQUANTIZE", dtype="float32").then("RELU", dtype="float32")
    line.then("QUANTIZE", None, 0.07, -20)
    assert line.left() == ["TABLE"]


def test_round_trips_that_follow_each_other_go() -> None:
    line = Line().pool()
    for _ in range(2):
        line.then("DEQUANTIZE", dtype="float32").then("QUANTIZE")
    assert line.pool().left() == ["AVERAGE_POOL_2D"] * 2


def test_an_inexact_float_function_stays() -> None:
    line = Line().then("DEQUANTIZE", dtype="float32").then("TANH", dtype="float32")
    assert line.then("QUANTIZE", None, 0.01, 0).left() == ["DEQUANTIZE", "TANH", "QUANTIZE"]


@pytest.mark.parametrize(
    ("first", "second"),
    [("RELU", "RELU6"), ("RELU6", "RELU"), ("RELU", "RELU"), ("RELU_N1_TO_1", "RELU6")],
)
def test_clamps_that_follow_each_other_are_one_activation_where_there_is_one(
    first: str, second: str
) -> None:
    left = Line().pool().then(first).then(second).left()
    if first == "RELU_N1_TO_1":  # from 0 to 1: no activation does it, and the clamp stays
        assert left == ["AVERAGE_POOL_2D", "RELU6"]
    else:
        assert left == ["AVERAGE_POOL_2D"]


def test_maximum_with_zero_is_a_relu() -> None:
    assert Line().pool().clamp("MAXIMUM", 3).left() == ["AVERAGE_POOL_2D"]
    assert Line().pool().clamp("MAXIMUM", 4).left() == ["AVERAGE_POOL_2D", "MAXIMUM"]


def test_a_clamp_that_changes_no_possible_value_goes() -> None:
    line = Line().pool().then("RELU").turned(0, 2, 1, 3).then("RELU").pool()
    assert line.left() == ["AVERAGE_POOL_2D", "TRANSPOSE", "AVERAGE_POOL_2D"]


def test_a_value_that_others_read_stays() -> None:
    line = Line().then("LOGISTIC", None, 1 / 256, -128)
    shared = line.at
    line.then("QUANTIZE", None, 0.01, 4)
    out = line.model.output(SHAPE, "int8", 0.02, 0)
    line.model.op("ADD", [shared, line.at], [out], schema.AddOptionsT())
    line.at = out
    assert line.left() == ["LOGISTIC", "QUANTIZE", "ADD"]


def test_transposes_that_undo_each_other_go() -> None:
    line = Line().pool().turned(0, 3, 1, 2).turned(0, 2, 3, 1).pool()
    assert line.left() == ["AVERAGE_POOL_2D"] * 2


def test_transposes_become_one() -> None:
    line = Line().pool().turned(0, 3, 1, 2).turned(0, 1, 3, 2)
    graph = line.rewritten()
    assert [op.builtin for op in graph.ops] == ["AVERAGE_POOL_2D", "TRANSPOSE"]
    assert graph[graph.ops[-1].inputs[1]].values.tolist() == [0, 3, 2, 1]


@pytest.mark.parametrize(("fill", "left"), [(3, 2), (4, 3)])
def test_padding_with_zero_is_part_of_every_convolution_that_reads_it(fill: int, left: int) -> None:
    line = Line()
    pads = line.model.tensor((4, 2), "int32", data=[[0, 0], [1, 2], [0, 1], [0, 0]])
    value = line.model.tensor((1,), "int8", line.scale, line.zero, data=[fill])
    line.then("PADV2", schema.PadV2OptionsT(), 0.0, 0, pads, value, shape=(1, 7, 9, 8))
    padded, ends = line.at, (line.scale, line.zero, line.shape)
    first = line.convolved().at
    line.at, (line.scale, line.zero, line.shape) = padded, ends
    second = line.convolved().at
    out = line.model.tensor(line.shape, "int8", 0.2, 0)
    line.model.op("ADD", [first, second], [out], schema.AddOptionsT())
    line.at = out
    assert len(line.left()) == left + 1
