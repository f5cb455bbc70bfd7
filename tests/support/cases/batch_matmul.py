"""BATCH_MATMUL of variable and constant matrices, transposed or not, batches broadcast."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.binary_case import broadcast_shapes, operand
from tests.support.cases import quant

BUILTIN = "BATCH_MATMUL"
DTYPES = ("int8", "int16", "float32")
ULPS = 0


def add(draw, model, dtype):
    first, second, out = ((), (), ())
    if draw(st.integers(0, 3)):
        first, second, out = broadcast_shapes(draw, 3)
    rows, depth, columns = (draw(st.integers(1, 8)) for _ in range(3))
    adj_x, adj_y = draw(st.booleans()), draw(st.booleans())
    x = (*first, *((depth, rows) if adj_x else (rows, depth)))
    w = (*second, *((columns, depth) if adj_y else (depth, columns)))
    constant = draw(st.sampled_from((None, None, 1)))
    ends = [quant(draw, dtype) for _ in range(3)]
    if dtype == "int16":  # an output that the sums of products do not leave far behind
        spread = 2.0 ** draw(st.floats(6.0, 16.0))
        ends[2] = (float(np.float32(ends[0][0] * ends[1][0] * spread)), 0)
    a = operand(draw, model, x, dtype, ends[0], False)
    b = operand(draw, model, w, dtype, ends[1], constant == 1)
    y = model.output((*out, rows, columns), dtype, *ends[2])
    options = schema.BatchMatMulOptionsT()
    options.adjX, options.adjY = adj_x, adj_y
    model.op(BUILTIN, [a, b], [y], options, version=2)
