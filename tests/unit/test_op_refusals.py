"""Malformed or unsupported operators are refused with a message, whatever the file says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.load import tflite
from tests.support.flatmodel import FlatModel

Q = (0.5, 0)


def binary(builtin: str, first: tuple, second: tuple, out: tuple, *scales: tuple) -> FlatModel:
    m = FlatModel()
    q = scales or (Q, Q, Q)
    ends = [m.input(first, "int8", *q[0]), m.input(second, "int8", *q[1])]
    m.op(builtin, ends, [m.output(out, "int8", *q[2])])
    return m


def fused(code: int) -> FlatModel:
    m = FlatModel()
    options = schema.AddOptionsT()
    options.fusedActivationFunction = code
    ends = [m.input((2,), "int8", *Q), m.input((2,), "int8", *Q)]
    m.op("ADD", ends, [m.output((2,), "int8", *Q)], options)
    return m


def gather(axis: int, batch_dims: int, indices: object, kind: str = "int32") -> FlatModel:
    m = FlatModel()
    options = schema.GatherOptionsT()
    options.axis, options.batchDims = axis, batch_dims
    at = m.tensor((2,), kind, data=indices)
    m.op("GATHER", [m.input((2, 3), "float32"), at], [m.output((2, 2), "float32")], options)
    return m


def wide_conv(kind: str, *, bias: int = 0, zero: int = 0) -> FlatModel:
    m = FlatModel()
    w = m.tensor((1, 1, 1, 2), "int8", 0.1, data=[[[[1, 2]]]])
    b = m.tensor((1,), kind, 0.01, data=[bias])
    options = schema.Conv2DOptionsT()
    options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
    x, y = m.input((1, 2, 2, 2), "int16", 0.1, zero), m.output((1, 2, 2, 1), "int16", 0.1)
    m.op("CONV_2D", [x, w, b], [y], options, version=3)
    return m


def wide_sum() -> FlatModel:
    m = FlatModel()
    ends = [m.input((2,), "int16", 2.0**-n) for n in (8, 9)]
    m.op("ADD", ends, [m.output((2,), "int16", 2.0**-8)], schema.AddOptionsT(), version=2)
    return m


def wide_sigmoid(step: float, unit: float = 2.0**-15) -> FlatModel:
    m = FlatModel()
    m.op("LOGISTIC", [m.input((2,), "int16", step)], [m.output((2,), "int16", unit)])
    return m


def arg_max(axis: object, kind: str = "int32", shape: tuple = (1,)) -> FlatModel:
    m = FlatModel()
    options = schema.ArgMaxOptionsT()
    options.outputType = schema.TensorType.INT32
    where = m.tensor(shape, "int32", data=axis)
    m.op("ARG_MAX", [m.input((2, 3), "float32"), where], [m.output((2,), kind)], options)
    return m


def transpose_conv(
    asked: tuple = (1, 4, 4, 2),
    filter_shape: tuple = (2, 3, 3, 1),
    x: tuple = (1, 2, 2, 1),
    stride: int = 2,
    axis: int = 0,
    bias: int = 2,
) -> FlatModel:
    m = FlatModel()
    shape = m.tensor((len(asked),), "int32", data=asked)
    channels = filter_shape[axis % len(filter_shape)]
    data = np.ones(filter_shape)
    weights = m.tensor(filter_shape, "int8", [0.1] * channels, axis=axis, data=data)
    start = m.tensor((bias,), "int32", data=np.zeros(bias))
    options = schema.TransposeConvOptionsT()
    options.strideH = options.strideW = stride
    inputs = [shape, weights, m.input(x, "int8", *Q), start]
    m.op("TRANSPOSE_CONV", inputs, [m.output((1, 4, 4, 2), "int8", *Q)], options)
    return m


def matmul(first: tuple, second: tuple, out: tuple) -> FlatModel:
    m = FlatModel()
    ends = [m.input(first, "int8", *Q), m.input(second, "int8", *Q)]
    m.op("BATCH_MATMUL", ends, [m.output(out, "int8", *Q)], schema.BatchMatMulOptionsT())
    return m


def dense(weights: tuple, axis: int, channels: int) -> FlatModel:
    m = FlatModel()
    rows = m.tensor(weights, "int8", [0.1] * channels, axis=axis, data=np.ones(weights))
    x = m.input((1, 3), "int8", *Q)
    m.op("FULLY_CONNECTED", [x, rows], [m.output((1, 2), "int8", *Q)])
    return m


REFUSED: dict[str, tuple[Callable[[], FlatModel], str]] = {
    "shapes that do not broadcast": (lambda: binary("ADD", (2,), (3,), (3,)), "broadcast"),
    "a wrong output shape": (lambda: binary("SUB", (2,), (2,), (3,)), "computed"),
    "an input too few": (lambda: _one_input("MUL"), "missing|inputs"),
    "an activation that is not a clamp": (lambda: fused(4), "fused activation 4"),
    "an activation out of the schema": (lambda: fused(99), "fused activation 99"),
    "a maximum across scales": (
        lambda: binary("MAXIMUM", (2,), (2,), (2,), Q, (0.25, 0), Q),
        "same scale",
    ),
    "a slope larger than its input": (lambda: binary("PRELU", (1,), (3,), (3,)), "slope"),
    "a quotient below the fixed point": (
        lambda: binary("DIV", (2,), (2,), (2,), (0.1, 0), (1.0, 0), (1.0, 0)),
        "quotient",
    ),
    "scales without a finite quotient": (
        lambda: binary("DIV", (2,), (2,), (2,), (1e38, 0), (1e-30, 0), (1e-30, 0)),
        "finite",
    ),
    "an index out of range": (lambda: gather(1, 0, [0, 3]), "indices"),
    "a negative index": (lambda: gather(1, 0, [-1, 0]), "indices"),
    "an axis out of range": (lambda: gather(2, 0, [0, 0]), "axis 2"),
    "a batch beyond the indices": (lambda: gather(1, 2, [0, 0]), "batch_dims 2"),
    "a batch beyond the axis": (lambda: gather(0, 1, [0, 0]), "batch dimensions"),
    "float indices": (lambda: gather(1, 0, [0, 0], "float32"), "indices"),
    "an extreme axis out of range": (lambda: arg_max([-3]), "axis -3"),
    "two extreme axes": (lambda: arg_max([0, 1], shape=(2,)), "axis"),
    "places as float": (lambda: arg_max([1], "float32"), "int32 or int64"),
    "an output shape of three": (lambda: transpose_conv(asked=(1, 4, 4)), "output shape"),
    "an output shape that is not declared": (lambda: transpose_conv((1, 5, 4, 2)), "computed"),
    "a negative output shape": (lambda: transpose_conv((1, -4, 4, 2)), "computed"),
    "another batch": (lambda: transpose_conv((2, 4, 4, 2)), "batch"),
    "a flat filter": (lambda: transpose_conv(filter_shape=(2, 9)), "filter"),
    "a filter of other channels": (lambda: transpose_conv(filter_shape=(2, 3, 3, 4)), "filter"),
    "a filter along another axis": (lambda: transpose_conv(axis=1), "filter"),
    "a flat image": (lambda: transpose_conv(x=(4, 1)), "four dimensions"),
    "a stride of zero": (lambda: transpose_conv(stride=0), "stride"),
    "a stride over 16 bits": (lambda: transpose_conv(stride=2**20), "stride"),
    "a bias of another size": (lambda: transpose_conv(bias=3), "bias"),
    "matrices that do not meet": (lambda: matmul((2, 3), (4, 2), (2, 2)), "columns"),
    "a matrix of one dimension": (lambda: matmul((3,), (3, 2), (2,)), "dimensions"),
    "batches that do not broadcast": (
        lambda: matmul((2, 2, 3), (3, 3, 2), (3, 2, 2)),
        "broadcast",
    ),
    "weights along another axis": (lambda: dense((2, 3), 1, 3), "weights"),
    "an int32 bias between int16 that is not asked for": (
        lambda: wide_conv("int32"),
        "quantized_bias_type",
    ),
    "a bias beyond 47 bits": (lambda: wide_conv("int64", bias=-(2**63)), "2\\*\\*47"),
    "int16 off zero": (lambda: wide_conv("int64", zero=1), "zero point 0"),
    "sums of power-of-two scales": (wide_sum, "pot_scale_int16"),
    "a sigmoid of huge steps": (lambda: wide_sigmoid(4.0), "at most 2"),
    "a sigmoid of other steps": (lambda: wide_sigmoid(0.1, 2.0**-14), "2\\*\\*-15"),
    "weights of three dimensions": (lambda: dense((2, 3, 1), 0, 2), "weights"),
}


def _one_input(builtin: str) -> FlatModel:
    m = FlatModel()
    m.op(builtin, [m.input((2,), "int8", *Q)], [m.output((2,), "int8", *Q)])
    return m


@pytest.mark.parametrize("what", REFUSED)
def test_is_refused(what: str) -> None:
    make, message = REFUSED[what]
    with pytest.raises(UnsupportedModelError, match=message):
        tflite.parse(make().bytes(), "case")


def test_an_absurd_declared_size_costs_nothing() -> None:
    with pytest.raises(UnsupportedModelError):
        tflite.parse(transpose_conv((1, 2**30, 2**30, 2)).bytes(), "case")
