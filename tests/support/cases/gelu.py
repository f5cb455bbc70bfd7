"""GELU, exact and approximate."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.elementwise import add_unary

BUILTIN = "GELU"
DTYPES = ("int8", "int16", "float32")
ULPS = 64  # Eigen has a tanh and an erfc of its own, and 1 + tanh cancels


def add(draw, model, dtype):
    options = schema.GeluOptionsT()
    options.approximate = draw(st.booleans())
    add_unary(draw, model, dtype, BUILTIN, options=options, low=-2.0)
