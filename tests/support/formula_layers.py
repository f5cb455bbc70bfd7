"""A float32 model with an output of every op that TVM has a formula for."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.support.flatmodel import FlatModel


def formula_layers() -> FlatModel:
    """Return products with and without padding, strides, dilation, pools, sums, matrices."""
    rng = np.random.default_rng(5)
    model = FlatModel()

    def constant(*shape: int) -> int:
        return model.tensor(shape, "float32", data=rng.normal(size=shape))

    x = model.input((1, 9, 7, 6), "float32")
    for kernel, stride, dilation, padding, out in (
        ((3, 3), (1, 1), (1, 1), 0, (9, 7, 10)),
        ((3, 2), (2, 3), (1, 1), 1, (4, 2, 3)),
        ((2, 3), (1, 1), (3, 2), 0, (9, 7, 4)),
        ((1, 1), (1, 1), (1, 1), 1, (9, 7, 16)),
    ):
        conv = schema.Conv2DOptionsT()
        conv.strideH, conv.strideW = stride
        conv.dilationHFactor, conv.dilationWFactor = dilation
        conv.padding, conv.fusedActivationFunction = padding, 3
        weights = constant(out[2], *kernel, 6)
        y = model.output((1, *out), "float32")
        model.op("CONV_2D", [x, weights, constant(out[2])], [y], conv, version=2)
    depthwise = schema.DepthwiseConv2DOptionsT()
    depthwise.strideH, depthwise.strideW, depthwise.depthMultiplier = 2, 1, 2
    y = model.output((1, 5, 7, 12), "float32")
    model.op("DEPTHWISE_CONV_2D", [x, constant(1, 3, 3, 12), constant(12)], [y], depthwise)
    for builtin in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        pool = schema.Pool2DOptionsT()
        pool.strideH, pool.strideW, pool.filterHeight, pool.filterWidth = 2, 1, 3, 2
        model.op(builtin, [x], [model.output((1, 5, 7, 6), "float32")], pool)
    sums = {"ADD": schema.AddOptionsT, "SUB": schema.SubOptionsT, "MUL": schema.MulOptionsT}
    for builtin, options in sums.items():
        chosen = options()
        chosen.fusedActivationFunction = 1
        y = model.output((1, 9, 7, 6), "float32")
        model.op(builtin, [constant(7, 1), x], [y], chosen)
    rows = model.input((2, 3, 8), "float32")
    dense = schema.FullyConnectedOptionsT()
    dense.keepNumDims = True
    y = model.output((2, 3, 5), "float32")
    model.op("FULLY_CONNECTED", [rows, constant(5, 8), constant(5)], [y], dense, version=5)
    y = model.output((12, 7), "float32")
    flat = schema.FullyConnectedOptionsT()
    model.op("FULLY_CONNECTED", [rows, constant(7, 4), constant(7)], [y], flat)
    other = model.input((2, 4, 8), "float32")
    matmul = schema.BatchMatMulOptionsT()
    matmul.adjY = True
    model.op("BATCH_MATMUL", [rows, other], [model.output((2, 3, 4), "float32")], matmul)
    return model
