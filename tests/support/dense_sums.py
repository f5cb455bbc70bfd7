"""int8 dense layers with sums that LiteRT's float64 and plain multipliers round apart."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgec.codegen.quantmath import quantize_multiplier, requantize_single
from tests.support.flatmodel import FlatModel

X = 0.5
WIDTH = 500
"""Inputs of a row: all but the last have the weight 127, that one 1."""


def in_float64(sums: np.ndarray, scale: float) -> np.ndarray:
    real = sums * scale
    whole = np.floor(np.abs(real))
    return np.asarray(np.sign(real) * (whole + (np.abs(real) - whole >= 0.5)))


def telling_sums(w: np.float32, y: np.float32, zero: int) -> np.ndarray:
    """Return sums that the multiplier next to the scale rounds otherwise, within the int8 range."""
    scale = X * float(w) / float(y)
    near = np.round((np.arange(-128 - zero, 127 - zero) + 0.5) / scale).astype(np.int64)
    sums = (near + np.arange(-1, 2)[:, None]).reshape(-1)
    apart = requantize_single(sums, *quantize_multiplier(scale)) != in_float64(sums, scale)
    return np.asarray(sums[apart & (np.abs(sums) < 127 * 120 * (WIDTH - 1))])


def telling_rows(count: int, bits: float, y: np.float32, zero: int) -> dict[np.float32, np.ndarray]:
    """Return that many scales of weights with such sums; the scales of sums are about 2**-bits."""
    rng = np.random.default_rng(int(100 * bits))
    found: dict[np.float32, np.ndarray] = {}
    while len(found) < count:
        w = np.float32(float(y) / X * 2.0 ** -rng.uniform(bits - 1, bits))
        sums = telling_sums(w, y, zero)
        if len(sums):
            found[w] = sums
    return found


def inputs_of(sums: np.ndarray, biases: np.ndarray) -> np.ndarray:
    """Return a row of inputs for every sum, beside its row's bias."""
    big, small = np.divmod(sums - biases + 63, 127)
    rows = np.zeros((len(sums), WIDTH), np.int64)
    count = WIDTH - 1
    rows[:, :count] = (big[:, None] + np.arange(count)) // count
    rows[:, count] = small - 63
    return rows.astype(np.int8)


def dense(
    scales: list[np.float32], biases: list[int], batch: int, y: tuple[float, int]
) -> FlatModel:
    model, rows = FlatModel(), len(biases)
    weights = np.full((rows, WIDTH), 127, np.int8)
    weights[:, -1] = 1
    ends = [
        model.input((batch, WIDTH), "int8", X),
        model.tensor(weights.shape, "int8", [float(s) for s in scales], data=weights),
        model.tensor((rows,), "int32", [X * float(s) for s in scales], data=np.array(biases)),
    ]
    out = model.output((batch, rows), "int8", *y)
    model.op("FULLY_CONNECTED", ends, [out], schema.FullyConnectedOptionsT(), version=4)
    return model
