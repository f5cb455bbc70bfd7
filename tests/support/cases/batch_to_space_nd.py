"""BATCH_TO_SPACE_ND in one or two dimensions with crops."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import quant

BUILTIN = "BATCH_TO_SPACE_ND"
DTYPES = ("int8", "int16", "float32", "int32")
ULPS = 0


def add(draw, model, dtype):
    dims = draw(st.integers(1, 2))
    n, c = draw(st.integers(1, 2)), draw(st.integers(1, 3))
    block = [draw(st.integers(1, 3)) for _ in range(dims)]
    grid = [draw(st.integers(1, 4)) for _ in range(dims)]
    amounts = []
    for b, g in zip(block, grid, strict=True):
        before = draw(st.integers(0, min(3, b * g - 1)))
        amounts.append((before, draw(st.integers(0, min(3, b * g - 1 - before)))))
    sides = zip(block, grid, amounts, strict=True)
    space = (n, *(b * g - sum(pair) for b, g, pair in sides), c)
    batches = (n * int(np.prod(block)), *grid, c)
    q = quant(draw, dtype)
    x = model.input(batches, dtype, *q)
    shape = model.tensor((dims,), "int32", data=np.array(block))
    pads = model.tensor((dims, 2), "int32", data=np.array(amounts))
    y = model.output(space, dtype, *q)
    model.op(BUILTIN, [x, shape, pads], [y], schema.BatchToSpaceNDOptionsT(), version=2)
