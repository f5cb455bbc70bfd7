"""DEPTHWISE_CONV_2D with random geometry, depth multipliers and per-channel scales."""

from __future__ import annotations

import math

from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import product_ends, random_array

BUILTIN = "DEPTHWISE_CONV_2D"
DTYPES = ("int8", "int16", "float32")
ULPS = 0


def add(draw, model, dtype):
    side = st.integers(1, 9)
    kh, kw = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    stride = draw(st.integers(1, 3))
    dh, dw = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    padding = draw(st.integers(0, 1))
    need_h, need_w = ((kh - 1) * dh + 1, (kw - 1) * dw + 1) if padding else (1, 1)
    h, w = max(draw(side), need_h), max(draw(side), need_w)
    batch, depth, times = draw(st.integers(1, 2)), draw(st.integers(1, 6)), draw(st.integers(1, 3))
    out_ch = depth * times
    shape = (1, kh, kw, out_ch)
    x_q, y_q, kind, reach = (), (), dtype, 1
    data = random_array(draw, shape, "float32" if dtype == "float32" else "int8")
    if dtype == "float32":
        weights = model.tensor(shape, dtype, data=data)
    else:
        x_q, scales, y_q, kind = product_ends(draw, dtype, kh * kw, out_ch)
        kind, reach = "int32" if dtype == "int8" else "int64", 5000
        weights = model.tensor(shape, "int8", scales, axis=3, data=data)
    inputs = [model.input((batch, h, w, depth), dtype, *x_q), weights]
    if dtype == "int16" or draw(st.integers(0, 3)):
        bias = random_array(draw, (out_ch,), kind, -reach, reach)
        inputs.append(model.tensor((out_ch,), kind, data=bias))
    out = [
        -(-n // stride) if padding == 0 else math.ceil((n - (k - 1) * d) / stride)
        for n, k, d in ((h, kh, dh), (w, kw, dw))
    ]
    y = model.output((batch, *out, out_ch), dtype, *y_q)
    options = schema.DepthwiseConv2DOptionsT()
    options.padding = padding
    options.strideH = options.strideW = stride
    options.depthMultiplier = times
    options.dilationHFactor, options.dilationWFactor = dh, dw
    options.fusedActivationFunction = draw(st.sampled_from((0, 1, 2, 3)))
    model.op(BUILTIN, inputs, [y], options, version=3)
