"""LOG_SOFTMAX of the last dimension."""

from __future__ import annotations

from tests.support.elementwise import add_unary

BUILTIN = "LOG_SOFTMAX"
DTYPES = ("int8", "float32")
ULPS = 2


def add(draw, model, dtype):
    add_unary(draw, model, dtype, BUILTIN, y_quant=(1 / 16, 127))
