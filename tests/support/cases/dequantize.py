"""DEQUANTIZE from int8, uint8 and int16."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.support.cases import SCALES, ZERO_POINTS, shapes

BUILTIN = "DEQUANTIZE"
DTYPES = ("int8", "uint8", "int16")
ULPS = 0


def add(draw, model, dtype):
    shape = draw(st.one_of(shapes(), st.just((16, 40))))
    zero = 0 if dtype == "int16" else draw(ZERO_POINTS) + (128 if dtype == "uint8" else 0)
    x = model.input(shape, dtype, draw(SCALES), zero)
    model.op(BUILTIN, [x], [model.output(shape, "float32")], version=3)
