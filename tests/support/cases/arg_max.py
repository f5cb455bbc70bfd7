"""ARG_MAX along every axis, with ties, to int32 and int64."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema

from tests.support.arg_case import add_arg

BUILTIN = "ARG_MAX"
DTYPES = ("int8", "float32")
ULPS = 0


def add(draw, model, dtype):
    add_arg(draw, model, dtype, BUILTIN, schema.ArgMaxOptionsT())
