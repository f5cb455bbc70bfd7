"""REDUCE_MIN over any axes."""

from __future__ import annotations

from tests.support.reductions import add_reduction

BUILTIN = "REDUCE_MIN"
DTYPES = ("int8", "int16", "float32")
ULPS = 0


def add(draw, model, dtype):
    add_reduction(draw, model, dtype, BUILTIN, same=True)
