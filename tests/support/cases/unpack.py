"""UNPACK along any dimension."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import quant, shapes

BUILTIN = "UNPACK"
DTYPES = ("int8", "int16", "float32", "int32", "bool")
ULPS = 0


def add(draw, model, dtype):
    shape = list(draw(shapes(1, 4, 4)))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    q = quant(draw, dtype)
    x = model.input(shape, dtype, *q)
    count = shape.pop(axis)
    options = schema.UnpackOptionsT()
    options.axis, options.num = axis, count
    outputs = [model.output(shape, dtype, *q) for _ in range(count)]
    model.op(BUILTIN, [x], outputs, options, version=2)
