"""EXPAND_DIMS at any place."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import quant, shapes

BUILTIN = "EXPAND_DIMS"
DTYPES = ("int8", "int16", "float32", "int32", "bool")
ULPS = 0


def add(draw, model, dtype):
    shape = draw(shapes(1, 4, 5))
    axis = draw(st.integers(-len(shape) - 1, len(shape)))
    q = quant(draw, dtype)
    x = model.input(shape, dtype, *q)
    where = model.tensor((), draw(st.sampled_from(("int32", "int64"))), data=np.array(axis))
    y = model.output(np.expand_dims(np.zeros(shape), axis).shape, dtype, *q)
    model.op(BUILTIN, [x, where], [y], schema.ExpandDimsOptionsT())
