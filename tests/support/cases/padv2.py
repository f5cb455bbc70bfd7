"""PADV2 with a constant or computed value."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import quant, random_array, shapes

BUILTIN = "PADV2"
DTYPES = ("int8", "int16", "float32", "int32")
ULPS = 0


def add(draw, model, dtype):
    shape = draw(shapes(1, 5, 5))
    amounts = [(draw(st.integers(0, 3)), draw(st.integers(0, 3))) for _ in shape]
    q = quant(draw, dtype)
    x = model.input(shape, dtype, *q)
    kind = draw(st.sampled_from(("int32", "int64")))
    paddings = model.tensor((len(shape), 2), kind, data=np.array(amounts))
    if draw(st.booleans()):
        value = model.tensor((1,), dtype, *q, data=random_array(draw, (1,), dtype))
    else:
        value = model.input((1,), dtype, *q)
    padded = [b + n + a for n, (b, a) in zip(shape, amounts, strict=True)]
    y = model.output(padded, dtype, *q)
    model.op(BUILTIN, [x, paddings, value], [y], schema.PadV2OptionsT(), version=2)
