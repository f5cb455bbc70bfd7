"""DIV by constants, and by variables that MAXIMUM or MINIMUM keeps from zero."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.binary_case import ACTIVATIONS, broadcast_shapes
from tests.support.cases import SCALES, ZERO_POINTS, quant, random_array

BUILTIN = "DIV"
DTYPES = ("int8", "float32")
ULPS = 0


RATIOS = st.floats(65.0, 1e6)
"""Scale of the quotient: below 2**6 the reference interpreter shifts too far."""


def add(draw, model, dtype):
    first, second, out = broadcast_shapes(draw)
    q = quant(draw, dtype)
    x = model.input(first, dtype, *q)
    divisor, scale = _divisor(draw, model, second, dtype)
    ends = (q[0] / (scale * draw(RATIOS)), draw(ZERO_POINTS)) if q else ()
    y = model.output(out, dtype, *ends)
    options = schema.DivOptionsT()
    options.fusedActivationFunction = draw(st.sampled_from(ACTIVATIONS))
    model.op(BUILTIN, [x, divisor], [y], options, version=2)


def _divisor(draw, model, shape, dtype) -> tuple[int, float]:
    """Add a tensor without zeros; return its index and scale."""
    if dtype == "float32":
        if draw(st.booleans()):
            return model.input(shape, dtype, low=0.25), 1.0
        return model.tensor(shape, dtype, data=random_array(draw, shape, dtype, -4.0, -0.125)), 1.0
    scale = draw(SCALES)
    zero = draw(st.one_of(st.integers(-127, 126), st.sampled_from((-127, 126))))
    q = (scale, zero)
    if draw(st.booleans()):
        data = random_array(draw, shape, dtype)
        data[data == zero] = zero + 1
        return model.tensor(shape, dtype, *q, data=data), scale
    builtin, bound = draw(st.sampled_from((("MAXIMUM", zero + 1), ("MINIMUM", zero - 1))))
    free = model.input(shape, dtype, *q)
    limit = model.tensor((1,), dtype, *q, data=np.array([bound], np.int8))
    kept = model.tensor(shape, dtype, *q)
    model.op(builtin, [free, limit], [kept], schema.MaximumMinimumOptionsT(), version=2)
    return kept, scale
