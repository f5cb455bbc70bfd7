"""PACK of one to four tensors."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import quant, shapes

BUILTIN = "PACK"
DTYPES = ("int8", "int16", "float32", "int32", "int64")
ULPS = 0


def add(draw, model, dtype):
    shape = draw(shapes(1, 4, 4))
    count, axis = draw(st.integers(1, 4)), draw(st.integers(-len(shape) - 1, len(shape)))
    q = quant(draw, dtype)
    inputs = [model.input(shape, dtype, *q) for _ in range(count)]
    stacked = np.stack([np.zeros(shape)] * count, axis).shape
    options = schema.PackOptionsT()
    options.axis, options.valuesCount = axis, count
    model.op(BUILTIN, inputs, [model.output(stacked, dtype, *q)], options, version=2)
