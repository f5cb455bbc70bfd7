"""RELU with random quantisation."""

from __future__ import annotations

from tests.support.elementwise import add_unary

BUILTIN = "RELU"
DTYPES = ("int8", "int16", "float32")
ULPS = 0


def add(draw, model, dtype):
    add_unary(draw, model, dtype, BUILTIN)
