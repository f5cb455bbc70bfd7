"""SUM over any axes; int8 is tested in test_sum.py."""

from __future__ import annotations

from tests.support.reductions import add_reduction

BUILTIN = "SUM"
DTYPES = ("float32",)
ULPS = 0


def add(draw, model, dtype):
    add_reduction(draw, model, dtype, BUILTIN)
