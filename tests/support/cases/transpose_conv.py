"""TRANSPOSE_CONV with random geometry, per-channel scales, with and without bias."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import SCALES, quant, random_array

BUILTIN = "TRANSPOSE_CONV"
DTYPES = ("int8", "float32")
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
    data = random_array(draw, shape, dtype)
    if dtype == "int8":
        scales = [draw(SCALES) for _ in range(out_ch if draw(st.booleans()) else 1)]
        weights = model.tensor(shape, dtype, scales, data=data)
    else:
        weights = model.tensor(shape, dtype, data=data)
    inputs = [asked, weights, model.input((batch, h, w, depth), dtype, *quant(draw, dtype))]
    if draw(st.booleans()):
        kind, reach = ("int32", 5000) if dtype == "int8" else (dtype, 1)
        bias = random_array(draw, (out_ch,), kind, -reach, reach)
        inputs.append(model.tensor((out_ch,), kind, data=bias))
    y = model.output(out, dtype, *quant(draw, dtype))
    options = schema.TransposeConvOptionsT()
    options.padding = padding
    options.strideH, options.strideW = sh, sw
    options.fusedActivationFunction = draw(st.sampled_from((0, 1, 2, 3)))
    model.op(BUILTIN, inputs, [y], options, version=4)
