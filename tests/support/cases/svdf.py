"""SVDF with random ranks and memories, the state carried over.

Floats are positive: a sum that cancels to near zero would have any number of ulps between two
orders of summation.
"""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import SCALES, SEEDS, quant, random_array

BUILTIN = "SVDF"
DTYPES = ("int8", "float32")
ULPS = 4
RUNS = 3


def add(draw, model, dtype):
    batches, size, units, rank, memory = (draw(st.integers(1, m)) for m in (2, 9, 5, 3, 6))
    filters = units * rank
    exact = dtype == "int8"
    x = model.input((batches, size), dtype, *quant(draw, dtype), low=0.0)
    feature = random_array(draw, (filters, size), dtype, 0.0)
    inputs = [x, model.tensor((filters, size), dtype, *_scale(draw, exact), data=feature)]
    rng = np.random.default_rng(draw(SEEDS))
    limit = draw(st.sampled_from((200, 32767)))
    time = (
        rng.integers(-limit, limit + 1, (filters, memory))
        if exact
        else rng.uniform(0, 1, (filters, memory))
    )
    kind = "int16" if exact else dtype
    inputs.append(model.tensor((filters, memory), kind, *_scale(draw, exact), data=time))
    bias, reach = ("int32", 5000) if exact else (dtype, 1)
    with_bias = draw(st.booleans())
    data = random_array(draw, (units,), bias, -reach if exact else 0, reach)
    inputs.append(model.tensor((units,), bias, data=data) if with_bias else -1)
    inputs.append(
        model.tensor((batches, filters * memory), kind, *_scale(draw, exact), variable=True)
    )
    y = model.output((batches, units), dtype, *quant(draw, dtype))
    options = schema.SVDFOptionsT()
    options.rank = rank
    options.fusedActivationFunction = 1 if exact else draw(st.sampled_from((0, 1, 2, 3)))
    model.op(BUILTIN, inputs, [y], options, version=3 if exact else 1)


def _scale(draw, exact):
    return (draw(SCALES) / 32,) if exact else ()
