"""How to draw a random instance of ARG_MAX or ARG_MIN."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.support.cases import quant, shapes
from tests.support.flatmodel import TYPES


def add_arg(draw, model, dtype, builtin, options) -> None:
    """Add one op; int8 inputs have many ties, as their extremes are drawn often."""
    shape = draw(shapes(1, 5, 6))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    kind = draw(st.sampled_from(("int32", "int64")))
    x = model.input(shape, dtype, *quant(draw, dtype))
    where = model.tensor(draw(st.sampled_from(((), (1,)))), "int32", data=axis)
    axis %= len(shape)
    y = model.output(shape[:axis] + shape[axis + 1 :], kind)
    options.outputType = TYPES[kind]
    model.op(builtin, [x, where], [y], options, version=2)
