"""CONV_2D with random geometry, groups and per-channel scales."""

from __future__ import annotations

import math

from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import product_ends, random_array
from tests.support.flatmodel import TYPES

BUILTIN = "CONV_2D"
DTYPES = ("int8", "int16", "float32")
ULPS = 0


def add(draw, model, dtype):
    side = st.integers(1, 9)
    kh, kw = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    sh, sw = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    dh, dw = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    padding = draw(st.integers(0, 1))
    need_h, need_w = ((kh - 1) * dh + 1, (kw - 1) * dw + 1) if padding else (1, 1)
    h, w = max(draw(side), need_h), max(draw(side), need_w)
    groups, depth = draw(st.sampled_from((1, 1, 1, 2))), draw(st.integers(1, 6))
    out_ch = groups * draw(st.integers(1, 6))
    shape = (out_ch, kh, kw, depth)
    options = schema.Conv2DOptionsT()
    if dtype == "float32":
        x_q, y_q, kind, reach = (), (), dtype, 1
        weights = model.tensor(shape, dtype, data=random_array(draw, shape, dtype))
    else:
        x_q, scales, y_q, kind = product_ends(draw, dtype, kh * kw * depth, out_ch)
        weights = model.tensor(shape, "int8", scales, data=random_array(draw, shape, "int8"))
        reach = draw(st.sampled_from((5000, 2**20)))
        options.quantizedBiasType = TYPES[kind] if dtype == "int16" else 0
    x = model.input((1, h, w, groups * depth), dtype, *x_q)
    bias = model.tensor((out_ch,), kind, data=random_array(draw, (out_ch,), kind, -reach, reach))
    out = [
        -(-n // s) if padding == 0 else math.ceil((n - (k - 1) * d) / s)
        for n, k, s, d in ((h, kh, sh, dh), (w, kw, sw, dw))
    ]
    y = model.output((1, *out, out_ch), dtype, *y_q)
    options.padding = padding
    options.strideH, options.strideW = sh, sw
    options.dilationHFactor, options.dilationWFactor = dh, dw
    options.fusedActivationFunction = draw(st.sampled_from((0, 1, 2, 3)))
    model.op(
        BUILTIN,
        [x, weights, bias],
        [y],
        options,
        version=8 if kind == "int32" and dtype == "int16" else 3,
    )
