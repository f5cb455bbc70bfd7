"""RESHAPE between shapes of equal size, with and without a new-shape input."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import quant, shapes

BUILTIN = "RESHAPE"
DTYPES = ("int8", "int16", "float32")
ULPS = 0


def add(draw, model, dtype):
    shape = draw(shapes(1, 5, 6))
    sides = draw(st.permutations(shape))
    cut = draw(st.integers(0, len(sides)))
    # one dimension made of the first few, the rest as they are, ones put in anywhere
    new = [int(np.prod(sides[:cut], dtype=int)), *sides[cut:]]
    new.insert(draw(st.integers(0, len(new))), 1)
    q = quant(draw, dtype)
    x = model.input(shape, dtype, *q)
    y = model.output(new, dtype, *q)
    asked = list(new)
    if draw(st.booleans()):
        asked[draw(st.integers(0, len(asked) - 1))] = -1
    options = schema.ReshapeOptionsT()
    options.newShape = asked
    inputs = [x]
    if draw(st.booleans()):
        inputs.append(model.tensor((len(asked),), "int32", data=asked))
    model.op(BUILTIN, inputs, [y], options)
