"""SQRT of positive numbers."""

from __future__ import annotations

from tests.support.elementwise import add_unary

BUILTIN = "SQRT"
DTYPES = ("float32",)
ULPS = 0


def add(draw, model, dtype):
    add_unary(draw, model, dtype, BUILTIN, low=0.0)
