"""SLICE with random boxes."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import quant, shapes

BUILTIN = "SLICE"
DTYPES = ("int8", "int16", "float32", "int32", "bool")
ULPS = 0


def add(draw, model, dtype):
    shape = draw(shapes(1, 5, 6))
    begin = [draw(st.integers(0, n - 1)) for n in shape]
    size = [draw(st.integers(1, n - b)) for n, b in zip(shape, begin, strict=True)]
    asked = [
        -1 if b + s == n and draw(st.booleans()) else s
        for n, b, s in zip(shape, begin, size, strict=True)
    ]
    kind = draw(st.sampled_from(("int32", "int64")))
    q = quant(draw, dtype)
    x = model.input(shape, dtype, *q)
    starts = model.tensor((len(shape),), kind, data=np.array(begin))
    sizes = model.tensor((len(shape),), kind, data=np.array(asked))
    y = model.output(size, dtype, *q)
    model.op(BUILTIN, [x, starts, sizes], [y], schema.SliceOptionsT(), version=2)
