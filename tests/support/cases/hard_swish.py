"""HARD_SWISH with scales up to the ratio the reference takes."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.support.cases import SCALES, ZERO_POINTS
from tests.support.elementwise import add_unary

BUILTIN = "HARD_SWISH"
DTYPES = ("int8", "float32")
ULPS = 0


def add(draw, model, dtype):
    y_scale = draw(SCALES)
    x_scale = min(draw(st.floats(2**-10, 2.0, width=32)), y_scale * 127.0)
    add_unary(
        draw,
        model,
        dtype,
        BUILTIN,
        x_quant=(x_scale, draw(ZERO_POINTS)),
        y_quant=(y_scale, draw(ZERO_POINTS)),
    )
