"""SQUEEZE of some or all dimensions of size 1."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import quant

BUILTIN = "SQUEEZE"
DTYPES = ("int8", "int16", "float32", "int32", "bool")
ULPS = 0


def add(draw, model, dtype):
    shape = draw(st.lists(st.sampled_from((1, 1, 2, 3)), min_size=1, max_size=5))
    ones = [i for i, n in enumerate(shape) if n == 1]
    removed = draw(st.lists(st.sampled_from(ones), unique=True)) if ones else []
    left = [n for i, n in enumerate(shape) if i not in (removed or ones)]
    q = quant(draw, dtype)
    x = model.input(shape, dtype, *q)
    y = model.output(left, dtype, *q)
    options = schema.SqueezeOptionsT()
    options.squeezeDims = [i - len(shape) if draw(st.booleans()) else i for i in removed]
    model.op(BUILTIN, [x], [y], options)
