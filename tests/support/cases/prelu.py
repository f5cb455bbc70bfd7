"""PRELU with one slope, one a channel, or one an element."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.support.binary_case import operand
from tests.support.cases import quant, shapes

BUILTIN = "PRELU"
DTYPES = ("int8", "float32")
ULPS = 0


def add(draw, model, dtype):
    shape = draw(shapes(1, 4))
    slope = tuple(draw(st.sampled_from((1, side))) for side in shape)
    slope = slope[draw(st.integers(0, len(slope) - 1)) :]
    x = model.input(shape, dtype, *quant(draw, dtype))
    alpha = operand(draw, model, slope, dtype, quant(draw, dtype), draw(st.integers(0, 3)) > 0)
    y = model.output(shape, dtype, *quant(draw, dtype))
    model.op(BUILTIN, [x, alpha], [y])
