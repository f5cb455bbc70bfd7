"""LOGISTIC with random quantisation of the input."""

from __future__ import annotations

from tests.support.cases import ZERO_POINTS
from tests.support.elementwise import add_unary

BUILTIN = "LOGISTIC"
DTYPES = ("int8", "float32")
ULPS = 2


def add(draw, model, dtype):
    add_unary(draw, model, dtype, BUILTIN, y_quant=(1 / 256, draw(ZERO_POINTS)))
