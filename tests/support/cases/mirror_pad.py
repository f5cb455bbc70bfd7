"""MIRROR_PAD in both modes, up to the largest amounts."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import quant, shapes

BUILTIN = "MIRROR_PAD"
DTYPES = ("int8", "int16", "float32", "int32")
ULPS = 0


def add(draw, model, dtype):
    shape = draw(shapes(1, 4, 5))
    options = schema.MirrorPadOptionsT()
    options.mode = draw(st.integers(0, 1))
    most = [n - 1 + options.mode for n in shape]
    amounts = [(draw(st.integers(0, m)), draw(st.integers(0, m))) for m in most]
    q = quant(draw, dtype)
    x = model.input(shape, dtype, *q)
    paddings = model.tensor((len(shape), 2), "int32", data=np.array(amounts))
    padded = [b + n + a for n, (b, a) in zip(shape, amounts, strict=True)]
    y = model.output(padded, dtype, *q)
    model.op(BUILTIN, [x, paddings], [y], options)
