"""SPACE_TO_DEPTH with blocks of one to three."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import quant

BUILTIN = "SPACE_TO_DEPTH"
DTYPES = ("int8", "float32", "int32")
ULPS = 0


def add(draw, model, dtype):
    n, c, block = draw(st.integers(1, 2)), draw(st.integers(1, 4)), draw(st.integers(1, 3))
    h, w = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    deep, flat = (n, h, w, c * block * block), (n, h * block, w * block, c)
    q = quant(draw, dtype)
    options = schema.SpaceToDepthOptionsT()
    options.blockSize = block
    x = model.input(flat, dtype, *q)
    y = model.output(deep, dtype, *q)
    model.op(BUILTIN, [x], [y], options)
