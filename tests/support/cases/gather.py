"""GATHER along every axis, by constant and variable indices, from constant tables too."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.binary_case import operand
from tests.support.cases import quant, random_array, shapes

BUILTIN = "GATHER"
DTYPES = ("int8", "int16", "float32")
ULPS = 0


def add(draw, model, dtype):
    shape = draw(shapes(1, 4, 5))
    axis = draw(st.integers(0, len(shape) - 1))
    batch_dims = draw(st.integers(0, axis))
    more = draw(st.lists(st.integers(1, 4), min_size=0, max_size=2))
    where = (*shape[:batch_dims], *more)
    q = quant(draw, dtype)
    kind = draw(st.sampled_from(("int32", "int64")))
    if not where or draw(st.booleans()):
        data = random_array(draw, where, kind, 0, shape[axis] - 1)
        indices = model.tensor(where, kind, data=data)
        x = model.input(shape, dtype, *q)
    else:
        indices = model.input(where, kind, low=0, high=shape[axis])
        x = operand(draw, model, shape, dtype, q, draw(st.booleans()))
    out = (*shape[:axis], *more, *shape[axis + 1 :])
    y = model.output(out, dtype, *q)
    options = schema.GatherOptionsT()
    options.axis = axis - draw(st.sampled_from((0, len(shape))))
    options.batchDims = batch_dims
    if where and batch_dims < len(where):
        options.batchDims -= draw(st.sampled_from((0, len(where))))
    model.op(BUILTIN, [x, indices], [y], options, version=4)
