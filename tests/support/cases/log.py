"""LOG of positive real numbers and of all int8 values."""

from __future__ import annotations

from tests.support.elementwise import add_unary

BUILTIN = "LOG"
DTYPES = ("int8", "int16", "float32")
ULPS = 2


def add(draw, model, dtype):
    add_unary(draw, model, dtype, BUILTIN, low=1e-3)
