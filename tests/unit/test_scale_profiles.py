"""Which precision the scales of an op are computed in, by rounding profile."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edgec.codegen.binary import BinaryOp
from edgec.codegen.ops.fully_connected import FullyConnected
from edgec.codegen.quantmath import quantize_multiplier
from edgec.codegen.registry import Io
from edgec.pipeline.graph import Rounding
from edgec.pipeline.load import tflite
from tests.support.flatmodel import FlatModel

X, W, Y = (np.float32(v) for v in (0.1234567, 0.0345678, 0.2345679))
WIDE = (float(X), float(W), float(Y))


def product(kind: type) -> tuple[int, int]:
    x, w, y = (kind(v) for v in WIDE)
    return quantize_multiplier(float(x * w / y))


def half_sum(kind: type) -> tuple[int, int]:
    x, _, y = (kind(v) for v in WIDE)
    return quantize_multiplier(float(kind(2) * x / (kind(1 << 20) * y)))


@pytest.mark.parametrize(
    ("builtin", "position", "formula", "tflite_kind", "tflm_kind"),
    [
        ("MUL", 2, product, np.float32, np.float64),
        ("PRELU", 1, product, np.float32, np.float64),
        ("ADD", 2, half_sum, np.float64, np.float64),
        ("SUB", 2, half_sum, np.float64, np.float32),
    ],
)
def test_element_wise_scales(builtin, position, formula, tflite_kind, tflm_kind) -> None:
    model = FlatModel()
    ends = [model.input((2,), "int8", WIDE[0]), model.input((2,), "int8", WIDE[1])]
    model.op(builtin, ends, [model.output((2,), "int8", WIDE[2])])
    assert formula(np.float32) != formula(np.float64)
    for rounding, kind in ((Rounding.TFLITE, tflite_kind), (Rounding.TFLM, tflm_kind)):
        graph = tflite.parse(model.bytes(), "case", rounding)
        (op,) = graph.ops
        assert isinstance(op, BinaryOp)
        assert op.scales(Io.of(graph, op))[position] == formula(kind)


@pytest.mark.parametrize("channels", [1, 3])
def test_dense_scales(channels: int) -> None:
    model = FlatModel()
    scales = [WIDE[1]] * channels
    weights = model.tensor((3, 2), "int8", scales, data=np.ones((3, 2)))
    ends = [model.input((1, 2), "int8", WIDE[0]), weights]
    options = schema.FullyConnectedOptionsT()
    model.op("FULLY_CONNECTED", ends, [model.output((1, 3), "int8", WIDE[2])], options)
    wide = quantize_multiplier(WIDE[0] * WIDE[1] / WIDE[2])
    short = quantize_multiplier(float(X * W) / WIDE[2])
    assert wide != short
    for rounding in Rounding:
        graph = tflite.parse(model.bytes(), "case", rounding)
        (op,) = graph.ops
        assert isinstance(op, FullyConnected)
        want = short if rounding is Rounding.TFLM and channels == 1 else wide
        assert op.multipliers(Io.of(graph, op)).tolist() == [list(want)] * 3
