"""L2_NORMALIZATION of the last dimension."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema

from tests.support.elementwise import add_unary

BUILTIN = "L2_NORMALIZATION"
DTYPES = ("int8", "float32")
ULPS = 0


def add(draw, model, dtype):
    options = schema.L2NormOptionsT()
    add_unary(draw, model, dtype, BUILTIN, options=options, y_quant=(1 / 128, 0))
