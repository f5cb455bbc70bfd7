"""SOFTMAX over the last dimension, with various betas."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import SCALES, ZERO_POINTS, shapes

BUILTIN = "SOFTMAX"
DTYPES = ("int8", "float32")
# expf of libm against the interpreter's own
ULPS = 4


def add(draw, model, dtype):
    shape = draw(shapes(1, 4))
    shape = (*shape[:-1], draw(st.sampled_from((1, 2, 3, 10, 35))))
    wide = st.sampled_from((1e-4, 0.9, 2.0))
    ends = (draw(st.one_of(SCALES, wide)), draw(ZERO_POINTS)) if dtype == "int8" else ()
    x = model.input(shape, dtype, *ends, low=-20.0, high=20.0)
    y = model.output(shape, dtype, *((1 / 256, -128) if ends else ()))
    options = schema.SoftmaxOptionsT()
    options.beta = draw(st.sampled_from((1.0, 1.0, 0.25, 2.5)))
    model.op(BUILTIN, [x], [y], options, version=2)
