"""SPLIT_V into parts of random sizes."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import quant, shapes

BUILTIN = "SPLIT_V"
DTYPES = ("int8", "int16", "float32", "int32")
ULPS = 0


def add(draw, model, dtype):
    shape = list(draw(shapes(1, 4, 4)))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    asked = list(sizes)
    if draw(st.booleans()):
        asked[draw(st.integers(0, len(sizes) - 1))] = -1
    shape[axis] = sum(sizes)
    q = quant(draw, dtype)
    x = model.input(shape, dtype, *q)
    parts = model.tensor((len(sizes),), "int32", data=np.array(asked))
    where = model.tensor((), "int32", data=np.array(axis))
    outputs = []
    for size in sizes:
        shape[axis] = size
        outputs.append(model.output(shape, dtype, *q))
    options = schema.SplitVOptionsT()
    options.numSplits = len(sizes)
    model.op(BUILTIN, [x, parts, where], outputs, options, version=2)
