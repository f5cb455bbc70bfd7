"""TRANSPOSE with random permutations of up to six dimensions."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import quant, shapes

BUILTIN = "TRANSPOSE"
DTYPES = ("int8", "int16", "float32", "int32", "bool")
ULPS = 0


def add(draw, model, dtype):
    shape = draw(shapes(1, 6, 5))
    order = draw(st.permutations(range(len(shape))))
    q = quant(draw, dtype)
    x = model.input(shape, dtype, *q)
    signed = [i - len(shape) if draw(st.booleans()) else i for i in order]
    perm = model.tensor((len(shape),), "int32", data=np.array(signed))
    y = model.output([shape[i] for i in order], dtype, *q)
    model.op(BUILTIN, [x, perm], [y], schema.TransposeOptionsT(), version=2)
