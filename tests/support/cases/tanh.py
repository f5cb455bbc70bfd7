"""TANH with random quantisation."""

from __future__ import annotations

from tests.support.elementwise import add_unary

BUILTIN = "TANH"
DTYPES = ("int8", "int16", "float32")
ULPS = 2


def add(draw, model, dtype):
    add_unary(draw, model, dtype, BUILTIN, y_quant16=(2**-15, 0))
