"""PAD with random amounts."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import quant, shapes

BUILTIN = "PAD"
DTYPES = ("int8", "int16", "float32", "int32")
ULPS = 0


def add(draw, model, dtype):
    shape = draw(shapes(1, 5, 5))
    amounts = [(draw(st.integers(0, 3)), draw(st.integers(0, 3))) for _ in shape]
    q = quant(draw, dtype)
    x = model.input(shape, dtype, *q)
    kind = draw(st.sampled_from(("int32", "int64")))
    paddings = model.tensor((len(shape), 2), kind, data=np.array(amounts))
    padded = [b + n + a for n, (b, a) in zip(shape, amounts, strict=True)]
    y = model.output(padded, dtype, *q)
    model.op(BUILTIN, [x, paddings], [y], schema.PadOptionsT(), version=2)
