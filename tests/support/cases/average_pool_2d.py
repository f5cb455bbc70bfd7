"""AVERAGE_POOL_2D with random geometry."""

from __future__ import annotations

import math

from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import quant

BUILTIN = "AVERAGE_POOL_2D"
DTYPES = ("int8", "int16", "float32")
ULPS = 0


def add(draw, model, dtype):
    side = st.integers(1, 9)
    kh, kw = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    sh, sw = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    padding = draw(st.integers(0, 1))
    h, w = draw(side), draw(side)
    if padding:
        h, w = max(h, kh), max(w, kw)
    batch, depth = draw(st.integers(1, 2)), draw(st.integers(1, 6))
    out = [
        -(-n // s) if padding == 0 else math.ceil((n - k + 1) / s)
        for n, k, s in ((h, kh, sh), (w, kw, sw))
    ]
    q = quant(draw, dtype)
    x = model.input((batch, h, w, depth), dtype, *q)
    y = model.output((batch, *out, depth), dtype, *q)
    options = schema.Pool2DOptionsT()
    options.padding = padding
    options.strideH, options.strideW = sh, sw
    options.filterHeight, options.filterWidth = kh, kw
    options.fusedActivationFunction = draw(st.sampled_from((0, 1, 2, 3)))
    model.op(BUILTIN, [x], [y], options, version=2)
