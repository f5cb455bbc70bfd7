"""TRANSPOSE_CONV with random geometry, per-channel scales, with and without bias."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import product_ends, random_array
from tests.support.flatmodel import TYPES

BUILTIN = "TRANSPOSE_CONV"
DTYPES = ("int8", "int16", "float32")
ULPS = 0


def add(draw, model, dtype):
    side = st.integers(1, 6)
    h, w, kh, kw = draw(side), draw(side), draw(st.integers(1, 5)), draw(st.integers(1, 5))
    sh, sw = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    padding = draw(st.integers(0, 1))
    high, wide = (
        n * s - draw(st.integers(0, s - 1)) if padding == 0 else (n - 1) * s + k
        for n, s, k in ((h, sh, kh), (w, sw, kw))
    )
    batch, depth, out_ch = draw(st.integers(1, 2)), draw(st.integers(1, 5)), draw(side)
    out = (batch, high, wide, out_ch)
    asked = model.tensor((4,), "int32", data=out)
    shape = (out_ch, kh, kw, depth)
    x_q, y_q, kind, reach = (), (), dtype, 1
    options = schema.TransposeConvOptionsT()
    data = random_array(draw, shape, "float32" if dtype == "float32" else "int8")
    if dtype == "float32":
        weights = model.tensor(shape, dtype, data=data)
    else:
        x_q, scales, y_q, kind = product_ends(draw, dtype, kh * kw * depth, out_ch)
        weights, reach = model.tensor(shape, "int8", scales, data=data), 5000
        options.quantizedBiasType = TYPES[kind] if dtype == "int16" else 0
    inputs = [asked, weights, model.input((batch, h, w, depth), dtype, *x_q)]
    if draw(st.booleans()):
        bias = random_array(draw, (out_ch,), kind, -reach, reach)
        inputs.append(model.tensor((out_ch,), kind, data=bias))
    y = model.output(out, dtype, *y_q)
    options.padding = padding
    options.strideH, options.strideW = sh, sw
    options.fusedActivationFunction = draw(st.sampled_from((0, 1, 2, 3)))
    model.op(
        BUILTIN, inputs, [y], options, version=5 if kind == "int32" and dtype == "int16" else 4
    )
