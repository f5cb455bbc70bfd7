"""DEPTH_TO_SPACE with blocks of one to three."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import quant

BUILTIN = "DEPTH_TO_SPACE"
DTYPES = ("int8", "float32", "int32")
ULPS = 0


def add(draw, model, dtype):
    n, c, block = draw(st.integers(1, 2)), draw(st.integers(1, 4)), draw(st.integers(1, 3))
    h, w = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    deep, flat = (n, h, w, c * block * block), (n, h * block, w * block, c)
    q = quant(draw, dtype)
    options = schema.DepthToSpaceOptionsT()
    options.blockSize = block
    x = model.input(deep, dtype, *q)
    y = model.output(flat, dtype, *q)
    model.op(BUILTIN, [x], [y], options)
