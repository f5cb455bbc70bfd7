"""FULLY_CONNECTED with several rows, kept dimensions and per-channel scales."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import SCALES, quant, random_array

BUILTIN = "FULLY_CONNECTED"
DTYPES = ("int8", "float32")
ULPS = 0


def add(draw, model, dtype):
    size, out = draw(st.integers(1, 40)), draw(st.integers(1, 12))
    lead = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    keep = draw(st.booleans())
    rows = 1
    for side in lead:
        rows *= side
    q = quant(draw, dtype)
    x = model.input((*lead, size), dtype, *q)
    data = random_array(draw, (out, size), dtype)
    product_scales = None
    if dtype == "int8":
        scales = [draw(SCALES) for _ in range(out if draw(st.booleans()) else 1)]
        weights = model.tensor((out, size), dtype, scales, data=data)
        product_scales = [q[0] * s for s in scales]
    else:
        weights = model.tensor((out, size), dtype, data=data)
    bias = -1
    if draw(st.integers(0, 3)):
        kind, reach = ("int32", 5000) if dtype == "int8" else (dtype, 1)
        data = random_array(draw, (out,), kind, -reach, reach)
        bias = model.tensor((out,), kind, product_scales, data=data)
    y = model.output((*lead, out) if keep else (rows, out), dtype, *quant(draw, dtype))
    options = schema.FullyConnectedOptionsT()
    options.keepNumDims = keep
    options.fusedActivationFunction = draw(st.sampled_from((0, 1, 2, 3)))
    model.op(BUILTIN, [x, weights, bias], [y], options, version=12)
