"""LOGISTIC with random quantisation of the input."""

from __future__ import annotations

from tests.support.cases import ZERO_POINTS
from tests.support.elementwise import add_unary

BUILTIN = "LOGISTIC"
DTYPES = ("int8", "int16", "float32")
ULPS = 2


def add(draw, model, dtype):
    unit = (1 / 256, draw(ZERO_POINTS))
    add_unary(draw, model, dtype, BUILTIN, y_quant=unit, y_quant16=(2**-15, 0))
