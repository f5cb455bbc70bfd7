"""Random models for the kernels of CPUs with vectors: many layers side by side."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import SCALES, ZERO_POINTS
from tests.support.drawing import drawn_model
from tests.support.dsp_layers import add_conv, add_fully_connected
from tests.support.flatmodel import FlatModel
from tests.support.hybrid_layers import add_hybrid
from tests.support.plane_layers import add_depthwise, add_pool, add_sum


def draw_model(draw) -> FlatModel:
    """Return a model of many branches, one layer each."""
    model = FlatModel()
    for sides in ((1, 1), (3, 3), (1, 5)):
        for _ in range(4):
            add_conv(draw, model, sides)
    for _ in range(4):
        add_fully_connected(draw, model)
    add_fully_connected(draw, model, largest=700)
    for most in (5, 20, 40, 150):
        for _ in range(3):
            add_depthwise(draw, model, most, (1, 1, 2))
    for _ in range(4):
        add_sum(draw, model)
    for _ in range(3):
        add_pool(draw, model, "AVERAGE_POOL_2D", 40)
    for _ in range(3):
        add_mean(draw, model)
    for most in (9, 40, 40, 300):
        sizes = tuple(draw(st.integers(1, n)) for n in (19, most, 170))
        add_hybrid(np.random.default_rng(draw(st.integers(0, 2**32))), model, sizes)
    return model


def add_mean(draw, model) -> None:
    """Add a mean over height and width."""
    batch, high, wide, channels = (draw(st.integers(1, n)) for n in (2, 9, 9, 50))
    scale = draw(SCALES)
    x = model.input((batch, high, wide, channels), "int8", scale, draw(ZERO_POINTS))
    axes = model.tensor((2,), "int32", data=[1, 2])
    y_scale = scale * 2.0 ** draw(st.integers(-3, 3))
    y = model.output((batch, channels), "int8", y_scale, draw(ZERO_POINTS))
    model.op("MEAN", [x, axes], [y], schema.ReducerOptionsT(), version=2)


def drawn(number: int) -> FlatModel:
    """Return the same layers in every run."""
    return drawn_model(draw_model, number, 4)
