"""FULLY_CONNECTED with several rows, kept dimensions and per-channel scales."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import product_ends, random_array
from tests.support.flatmodel import TYPES

BUILTIN = "FULLY_CONNECTED"
DTYPES = ("int8", "int16", "float32")
ULPS = 0


def add(draw, model, dtype):
    size, out = draw(st.integers(1, 40)), draw(st.integers(1, 12))
    lead = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    keep = draw(st.booleans())
    rows = 1
    for side in lead:
        rows *= side
    x_q, y_q, kind, reach, product_scales = (), (), dtype, 1, None
    options = schema.FullyConnectedOptionsT()
    data = random_array(draw, (out, size), "float32" if dtype == "float32" else "int8")
    if dtype == "float32":
        weights = model.tensor((out, size), dtype, data=data)
    else:
        x_q, scales, y_q, kind = product_ends(draw, dtype, size, out)
        weights = model.tensor((out, size), "int8", scales, data=data)
        product_scales, reach = [x_q[0] * s for s in scales], 5000
        options.quantizedBiasType = TYPES[kind] if dtype == "int16" else 0
    x = model.input((*lead, size), dtype, *x_q)
    bias = -1
    if draw(st.integers(0, 3)):
        data = random_array(draw, (out,), kind, -reach, reach)
        bias = model.tensor((out,), kind, product_scales, data=data)
    y = model.output((*lead, out) if keep else (rows, out), dtype, *y_q)
    options.keepNumDims = keep
    options.fusedActivationFunction = draw(st.sampled_from((0, 1, 2, 3)))
    model.op(BUILTIN, [x, weights, bias], [y], options, version=12)
