"""RSQRT of positive numbers: the reference stops at negative ones."""

from __future__ import annotations

from tests.support.cases import SCALES
from tests.support.elementwise import add_unary

BUILTIN = "RSQRT"
DTYPES = ("int8", "float32")
ULPS = 0


def add(draw, model, dtype):
    add_unary(draw, model, dtype, BUILTIN, x_quant=(draw(SCALES), -128), low=1e-3)
