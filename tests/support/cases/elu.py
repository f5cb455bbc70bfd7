"""ELU with random quantisation."""

from __future__ import annotations

from tests.support.elementwise import add_unary

BUILTIN = "ELU"
DTYPES = ("int8", "float32")
ULPS = 2
RESOLVER = "BUILTIN_WITHOUT_DEFAULT_DELEGATES"


def add(draw, model, dtype):
    add_unary(draw, model, dtype, BUILTIN)
