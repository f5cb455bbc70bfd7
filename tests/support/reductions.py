"""Random instances of ops that reduce over axes, for their case modules."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import quant, shapes


def add_reduction(draw, model, dtype: str, builtin: str, *, same: bool = False) -> None:
    """Add one reduction over random axes, negative and repeated ones among them.

    With `same`, the output has the input's quantisation.
    """
    shape = draw(st.one_of(shapes(), shapes(5, 6, 3), st.just((1, 7, 7, 20))))
    dims = len(shape)
    axes = draw(st.lists(st.integers(-dims, dims - 1), min_size=1, max_size=dims + 1))
    reduced = {a % dims for a in axes}
    options = schema.ReducerOptionsT()
    options.keepDims = draw(st.booleans())
    if options.keepDims:
        out = tuple(1 if a in reduced else n for a, n in enumerate(shape))
    else:
        out = tuple(n for a, n in enumerate(shape) if a not in reduced)
    first = quant(draw, dtype)
    x = model.input(shape, dtype, *first)
    axis = model.tensor((len(axes),), "int32", data=axes)
    y = model.output(out, dtype, *(first if same else quant(draw, dtype)))
    model.op(builtin, [x, axis], [y], options, version=2)
