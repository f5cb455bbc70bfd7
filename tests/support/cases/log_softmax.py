"""LOG_SOFTMAX of the last dimension."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema

from tests.support.elementwise import add_unary

BUILTIN = "LOG_SOFTMAX"
DTYPES = ("int8", "float32")
ULPS = 2


def add(draw, model, dtype):
    options = schema.LogSoftmaxOptionsT()
    add_unary(draw, model, dtype, BUILTIN, options=options, y_quant=(1 / 16, 127))
