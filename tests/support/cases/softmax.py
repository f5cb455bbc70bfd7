"""SOFTMAX over the last dimension, with various betas."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import SCALES, ZERO_POINTS, shapes

BUILTIN = "SOFTMAX"
DTYPES = ("int8", "int16", "float32")
# expf of libm against the interpreter's own
ULPS = 4


def add(draw, model, dtype):
    shape = draw(shapes(1, 4))
    shape = (*shape[:-1], draw(st.sampled_from((1, 2, 3, 10, 35))))
    wide = st.sampled_from((1e-4, 0.9, 2.0))
    ends = (draw(st.one_of(SCALES, wide)), draw(ZERO_POINTS)) if dtype != "float32" else ()
    if dtype == "int16":
        ends = (ends[0] / 256, 0)
    x = model.input(shape, dtype, *ends, low=-20.0, high=20.0)
    out = {"int8": (1 / 256, -128), "int16": (1 / 32768, 0)}.get(dtype, ())
    y = model.output(shape, dtype, *out)
    options = schema.SoftmaxOptionsT()
    options.beta = draw(st.sampled_from((1.0, 1.0, 0.25, 2.5)))
    model.op(BUILTIN, [x], [y], options, version=2)
