"""MAX_POOL_2D with random geometry."""

from __future__ import annotations

import math

from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import quant

BUILTIN = "MAX_POOL_2D"
DTYPES = ("int8", "int16", "float32")
ULPS = 0


def add(draw, model, dtype):
    side = st.integers(1, 5)
    kh, kw, sh, sw = (draw(side) for _ in range(4))
    padding = draw(st.integers(0, 1))
    h, w = (max(draw(st.integers(1, 9)), k if padding else 1) for k in (kh, kw))
    out = [
        -(-n // s) if padding == 0 else math.ceil((n - k + 1) / s)
        for n, k, s in ((h, kh, sh), (w, kw, sw))
    ]
    batch, channels = draw(st.integers(1, 2)), draw(st.integers(1, 6))
    same = quant(draw, dtype)
    x = model.input((batch, h, w, channels), dtype, *same)
    y = model.output((batch, *out, channels), dtype, *same)
    options = schema.Pool2DOptionsT()
    options.padding = padding
    options.strideH, options.strideW = sh, sw
    options.filterHeight, options.filterWidth = kh, kw
    options.fusedActivationFunction = draw(st.sampled_from((0, 1, 2, 3)))
    model.op(BUILTIN, [x], [y], options, version=2)
