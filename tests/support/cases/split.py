"""SPLIT into one to four equal parts."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import quant, shapes

BUILTIN = "SPLIT"
DTYPES = ("int8", "int16", "float32", "int32")
ULPS = 0


def add(draw, model, dtype):
    shape = list(draw(shapes(1, 4, 4)))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    count = draw(st.integers(1, 4))
    whole = list(shape)
    whole[axis] *= count
    q = quant(draw, dtype)
    where = model.tensor((), "int32", data=np.array(axis))
    x = model.input(whole, dtype, *q)
    options = schema.SplitOptionsT()
    options.numSplits = count
    outputs = [model.output(shape, dtype, *q) for _ in range(count)]
    model.op(BUILTIN, [where, x], outputs, options, version=2)
