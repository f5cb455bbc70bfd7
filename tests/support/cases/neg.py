"""NEG of numbers, and of symmetric int8 tensors."""

from __future__ import annotations

from tests.support.cases import SCALES
from tests.support.elementwise import add_unary

BUILTIN = "NEG"
DTYPES = ("int8", "float32")
ULPS = 0


def add(draw, model, dtype):
    same = (draw(SCALES), 0)
    add_unary(draw, model, dtype, BUILTIN, x_quant=same, y_quant=same)
