"""LEAKY_RELU with slopes of either sign, above and below 1."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.elementwise import add_unary

BUILTIN = "LEAKY_RELU"
DTYPES = ("int8", "int16", "float32")
ULPS = 0


def add(draw, model, dtype):
    options = schema.LeakyReluOptionsT()
    slopes = st.one_of(st.floats(-3.0, 3.0, width=32), st.sampled_from((0.0, 0.01, 0.3, 1.0)))
    options.alpha = draw(slopes)
    add_unary(draw, model, dtype, BUILTIN, options=options, version=2)
