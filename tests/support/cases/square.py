"""SQUARE, negative numbers too."""

from __future__ import annotations

from tests.support.elementwise import add_unary

BUILTIN = "SQUARE"
DTYPES = ("float32",)
ULPS = 0


def add(draw, model, dtype):
    add_unary(draw, model, dtype, BUILTIN)
