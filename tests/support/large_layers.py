"""Layers whose weights are so large that TVM is given them as panels."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.support.flatmodel import FlatModel


def large_layers(dtype: str) -> FlatModel:
    """Return a 1x1 convolution of 512 channels and a dense layer of 40 outputs over its pixels."""
    rng = np.random.default_rng(9)
    model = FlatModel()
    real = dtype == "float32"

    def weights(*shape: int) -> int:
        if real:
            return model.tensor(shape, dtype, data=rng.normal(size=shape) / 32)
        return model.tensor(shape, dtype, 0.002, data=rng.integers(-127, 128, shape))

    def bias(size: int) -> int:
        kind = "float32" if real else "int32"
        return model.tensor((size,), kind, data=rng.integers(-9, 9, size))

    def scale(value: float) -> tuple[float, ...]:
        return () if real else (value, 3)

    x = model.input((1, 5, 3, 512), dtype, *scale(0.02))
    conv = schema.Conv2DOptionsT()
    conv.strideH = conv.strideW = 1
    a = model.tensor((1, 5, 3, 512), dtype, *scale(0.03))
    model.op("CONV_2D", [x, weights(512, 1, 1, 512), bias(512)], [a], conv)
    dense = schema.FullyConnectedOptionsT()
    y = model.output((1, 40), dtype, *scale(0.09))
    model.op("FULLY_CONNECTED", [a, weights(40, 7680), bias(40)], [y], dense)
    return model
