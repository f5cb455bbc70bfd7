"""MAXIMUM with broadcasting and constant operands."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema

from tests.support.binary_case import add_binary

BUILTIN = "MAXIMUM"
DTYPES = ("int8", "int16", "float32")
ULPS = 0


def add(draw, model, dtype):
    add_binary(draw, model, dtype, BUILTIN, schema.MaximumMinimumOptionsT(), alike=True)
