"""CONCATENATION of one to four tensors, some constant."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import quant, random_array, shapes

BUILTIN = "CONCATENATION"
DTYPES = ("int8", "int16", "float32", "int32", "int64")
ULPS = 0


def add(draw, model, dtype):
    shape = draw(shapes(1, 5, 5))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    q = quant(draw, dtype)
    inputs, total = [], 0
    for i in range(draw(st.integers(1, 4))):
        side = draw(st.integers(1, 4))
        total += side
        own = list(shape)
        own[axis] = side
        if i and draw(st.booleans()):
            inputs.append(model.tensor(own, dtype, *q, data=random_array(draw, own, dtype)))
        else:
            inputs.append(model.input(own, dtype, *q))
    joined = list(shape)
    joined[axis] = total
    options = schema.ConcatenationOptionsT()
    options.axis = axis
    model.op(BUILTIN, inputs, [model.output(joined, dtype, *q)], options, version=2)
