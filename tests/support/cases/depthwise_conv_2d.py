"""DEPTHWISE_CONV_2D with random geometry, depth multipliers and per-channel scales."""

from __future__ import annotations

import math

from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import SCALES, quant, random_array

BUILTIN = "DEPTHWISE_CONV_2D"
DTYPES = ("int8", "float32")
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
    x = model.input((batch, h, w, depth), dtype, *quant(draw, dtype))
    shape = (1, kh, kw, out_ch)
    data = random_array(draw, shape, dtype)
    if dtype == "int8":
        scales = [draw(SCALES) for _ in range(out_ch if draw(st.booleans()) else 1)]
        weights = model.tensor(shape, dtype, scales, axis=3, data=data)
    else:
        weights = model.tensor(shape, dtype, data=data)
    inputs = [x, weights]
    if draw(st.integers(0, 3)):
        kind, reach = ("int32", 5000) if dtype == "int8" else (dtype, 1)
        bias = random_array(draw, (out_ch,), kind, -reach, reach)
        inputs.append(model.tensor((out_ch,), kind, data=bias))
    out = [
        -(-n // stride) if padding == 0 else math.ceil((n - (k - 1) * d) / stride)
        for n, k, d in ((h, kh, dh), (w, kw, dw))
    ]
    y = model.output((batch, *out, out_ch), dtype, *quant(draw, dtype))
    options = schema.DepthwiseConv2DOptionsT()
    options.padding = padding
    options.strideH = options.strideW = stride
    options.depthMultiplier = times
    options.dilationHFactor, options.dilationWFactor = dh, dw
    options.fusedActivationFunction = draw(st.sampled_from((0, 1, 2, 3)))
    model.op(BUILTIN, inputs, [y], options, version=3)
