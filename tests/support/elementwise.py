"""Random instances of functions of one tensor, for the case modules of such ops."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.support.cases import quant, shapes

SHAPES = st.one_of(shapes(), st.just((16, 40)), shapes(5, 6, 3))
"""Any shape; (16, 40) meets most of the 256 values of an int8 tensor."""


def add_unary(
    draw,
    model,
    dtype: str,
    builtin: str,
    *,
    options: Any = None,
    version: int = 1,
    x_quant: tuple | None = None,
    y_quant: tuple | None = None,
    y_quant16: tuple | None = None,
    low: float = -8.0,
    high: float = 8.0,
) -> None:
    """Add one op of a single input and output; int8 quantisations are drawn unless given."""
    shape = draw(SHAPES)
    int8 = dtype == "int8"
    wide = dtype == "int16" and y_quant16 is not None
    first = x_quant if int8 and x_quant is not None else quant(draw, dtype)
    second = y_quant if int8 and y_quant is not None else quant(draw, dtype)
    second = y_quant16 if wide else second
    x = model.input(shape, dtype, *first, low=low, high=high)
    y = model.output(shape, dtype, *second)
    model.op(builtin, [x], [y], options, version=version)
