"""CAST between all supported types, floats within the range of the integer."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.support.cases import quant
from tests.support.elementwise import SHAPES

BUILTIN = "CAST"
DTYPES = ("int8", "float32", "uint8", "int16", "int32", "bool")
ULPS = 0
REACH = {"int8": (-128.9, 127.9), "uint8": (0.0, 255.9)}


def add(draw, model, dtype):
    shape = draw(SHAPES)
    other = draw(st.sampled_from(DTYPES))
    low, high = REACH.get(other, (-3e4, 3e4)) if dtype == "float32" else (-(2**31), 2**31 - 1)
    x = model.input(shape, dtype, *quant(draw, dtype), low=low, high=high)
    model.op(BUILTIN, [x], [model.output(shape, other, *quant(draw, other))])
