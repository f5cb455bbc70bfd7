"""Some ops compute the scale of a product in float32, some in float64: the last bits tell.

Random cases hardly ever meet an element where it matters, so here scales are searched for at which
the two differ, on a wide grid of sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edgec.codegen.quantmath import quantize_multiplier, requantize_double
from edgec.pipeline.load import tflite
from tests.support.evaluate import run_numpy
from tests.support.flatmodel import FlatModel
from tests.support.oracle import run_litert

SIDE = 256
ROWS = np.random.default_rng(1).integers(-128, 128, (SIDE, 48)).astype(np.int8)
COLUMNS = np.random.default_rng(2).integers(-127, 128, (48, SIDE)).astype(np.int8)
SUMS = ROWS.astype(np.int64) @ COLUMNS
ALL = np.arange(-128, 128).astype(np.int8)
PRODUCTS = np.multiply.outer(ALL.astype(np.int64), ALL.astype(np.int64))


def telling_scales(sums: np.ndarray) -> Iterator[tuple[float, float, float]]:
    """Yield scales of inputs and output where float32 and float64 products round some sum apart."""
    rng = np.random.default_rng(3)
    sums = np.unique(sums)
    reach = float(np.abs(sums).max())
    while True:
        x, w = (np.float32(v) for v in rng.uniform(0.001, 0.5, 2))
        y = np.float32(float(x * w) * reach / rng.uniform(90, 120))
        exact = quantize_multiplier(float(x) * float(w) / float(y))
        short = quantize_multiplier(float(x * w) / float(y))
        if np.any(requantize_double(sums, *exact) != requantize_double(sums, *short)):
            yield float(x), float(w), float(y)


def grid(model: FlatModel, builtin: str, x: float, w: float, y: float) -> np.ndarray:
    """Add an element-wise op on every pair of int8 values; return its input."""
    options = schema.MulOptionsT() if builtin == "MUL" else None
    ends = [model.input((256, 256), "int8", x), model.tensor((256,), "int8", w, data=ALL)]
    model.op(builtin, ends, [model.output((256, 256), "int8", y)], options)
    return np.repeat(ALL[:, None], 256, 1)


def matmul(model: FlatModel, builtin: str, x: float, w: float, y: float) -> np.ndarray:
    ends = [
        model.input(ROWS.shape, "int8", x),
        model.tensor(COLUMNS.shape, "int8", w, data=COLUMNS),
    ]
    options = schema.BatchMatMulOptionsT()
    model.op(builtin, ends, [model.output((SIDE, SIDE), "int8", y)], options)
    return ROWS


def dense(model: FlatModel, builtin: str, x: float, w: float, y: float) -> np.ndarray:
    weights = COLUMNS.T
    ends = [
        model.input(ROWS.shape, "int8", x),
        model.tensor(weights.shape, "int8", w, data=weights),
    ]
    options = schema.FullyConnectedOptionsT()
    model.op(builtin, ends, [model.output((SIDE, SIDE), "int8", y)], options, version=4)
    return ROWS


def conv(model: FlatModel, builtin: str, x: float, w: float, y: float) -> np.ndarray:
    weights = COLUMNS.T.reshape(SIDE, 1, 1, -1)
    shape = (1, SIDE, 1, ROWS.shape[1])
    ends = [model.input(shape, "int8", x), model.tensor(weights.shape, "int8", w, data=weights)]
    ends.append(model.tensor((SIDE,), "int32", data=np.zeros(SIDE)))
    options = schema.Conv2DOptionsT()
    options.strideH = options.strideW = 1
    model.op(builtin, ends, [model.output((1, SIDE, 1, SIDE), "int8", y)], options, version=3)
    return ROWS.reshape(shape)


Build = Callable[[FlatModel, str, float, float, float], np.ndarray]


@pytest.mark.parametrize(
    ("builtin", "build", "sums"),
    [
        ("MUL", grid, PRODUCTS),
        ("PRELU", grid, PRODUCTS),
        ("BATCH_MATMUL", matmul, SUMS),
        ("FULLY_CONNECTED", dense, SUMS),
        ("CONV_2D", conv, SUMS),
    ],
)
def test_scales_have_the_precision_of_the_reference(
    builtin: str, build: Build, sums: np.ndarray
) -> None:
    telling = telling_scales(sums)
    for _ in range(2):
        model = FlatModel()
        sample = build(model, builtin, *next(telling))
        content = model.bytes()
        ((want,),) = run_litert(content, [[sample]])
        ((got,),) = run_numpy(tflite.parse(content, "case"), [[sample]])
        assert np.array_equal(got, want)
