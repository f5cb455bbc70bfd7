"""Whole small models for tests."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.support.flatmodel import FlatModel


def small_cnn(seed: int = 0) -> bytes:
    """An int8 network: conv, depthwise, pool, reshape, dense, softmax; 8x8x1 in, 4 classes out."""
    rng = np.random.default_rng(seed)
    model = FlatModel()

    def weights(*shape: int) -> np.ndarray:
        return rng.integers(-127, 128, shape).astype(np.int8)

    def bias(n: int) -> int:
        return model.tensor((n,), "int32", data=rng.integers(-400, 400, n))

    x = model.input((1, 8, 8, 1), "int8", 0.02, -1)
    conv = schema.Conv2DOptionsT()
    conv.strideH = conv.strideW = conv.fusedActivationFunction = 1
    a = model.tensor((1, 8, 8, 6), "int8", 0.05, -128)
    w = model.tensor((6, 3, 3, 1), "int8", [0.01] * 6, data=weights(6, 3, 3, 1))
    model.op("CONV_2D", [x, w, bias(6)], [a], conv)
    depthwise = schema.DepthwiseConv2DOptionsT()
    depthwise.strideH = depthwise.strideW = 2
    depthwise.depthMultiplier = 1
    b = model.tensor((1, 4, 4, 6), "int8", 0.06, -10)
    w = model.tensor((1, 3, 3, 6), "int8", [0.01] * 6, axis=3, data=weights(1, 3, 3, 6))
    model.op("DEPTHWISE_CONV_2D", [a, w, bias(6)], [b], depthwise)
    pool = schema.Pool2DOptionsT()
    pool.padding = 1
    pool.strideH = pool.strideW = pool.filterHeight = pool.filterWidth = 2
    c = model.tensor((1, 2, 2, 6), "int8", 0.06, -10)
    model.op("AVERAGE_POOL_2D", [b], [c], pool)
    flat = model.tensor((1, 24), "int8", 0.06, -10)
    reshape = schema.ReshapeOptionsT()
    reshape.newShape = [1, 24]
    model.op("RESHAPE", [c], [flat], reshape)
    scores = model.tensor((1, 4), "int8", 0.1, 3)
    w = model.tensor((4, 24), "int8", 0.01, data=weights(4, 24))
    model.op("FULLY_CONNECTED", [flat, w, bias(4)], [scores], schema.FullyConnectedOptionsT())
    softmax = schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    y = model.output((1, 4), "int8", 1 / 256, -128)
    model.op("SOFTMAX", [scores], [y], softmax)
    return model.bytes()
