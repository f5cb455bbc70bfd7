"""QUANTIZE from float32, between 8-bit types, and from int16."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.support.cases import SCALES, ZERO_POINTS, shapes

BUILTIN = "QUANTIZE"
DTYPES = ("int8", "int16", "float32")
ULPS = 0


def _end(draw, dtype: str) -> tuple:
    zero = {"int8": 0, "uint8": 128, "int16": 0}[dtype]
    return (draw(SCALES), 0 if dtype == "int16" else draw(ZERO_POINTS) + zero)


def add(draw, model, dtype):
    shape = draw(st.one_of(shapes(), st.just((16, 40))))
    if dtype == "float32":
        x = model.input(shape, dtype, low=-20.0, high=20.0)
        kind = draw(st.sampled_from(("int8", "uint8", "int16")))
        y = model.output(shape, kind, *_end(draw, kind))
    elif dtype == "int16":
        kind = draw(st.sampled_from(("int8", "int16")))
        x = model.input(shape, dtype, *_end(draw, dtype))
        y = model.output(shape, kind, *_end(draw, kind))
    else:
        first, second = (draw(st.sampled_from(("int8", "uint8"))) for _ in "xy")
        scale, zero = _end(draw, first)
        x = model.input(shape, first, scale, zero)
        keep = draw(st.booleans())  # the usual case: only the sign changes, or nothing
        shift = 128 * ((second == "uint8") - (first == "uint8"))
        y = model.output(shape, second, *((scale, zero + shift) if keep else _end(draw, second)))
    model.op(BUILTIN, [x], [y])
