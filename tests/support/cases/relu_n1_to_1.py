"""RELU_N1_TO_1 with random quantisation."""

from __future__ import annotations

from tests.support.elementwise import add_unary

BUILTIN = "RELU_N1_TO_1"
DTYPES = ("int8", "float32")
ULPS = 0


def add(draw, model, dtype):
    add_unary(draw, model, dtype, BUILTIN)
