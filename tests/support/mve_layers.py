"""Random models for the kernels of cores with MVE: many layers side by side."""

from __future__ import annotations

from tests.support.dsp_layers import add_conv, add_fully_connected
from tests.support.flatmodel import FlatModel
from tests.support.plane_layers import add_depthwise, add_pool, add_sum


def draw_model(draw) -> FlatModel:
    """Return a model of many branches, one layer each."""
    model = FlatModel()
    for sides in ((1, 1), (3, 3), (1, 5)):
        for _ in range(6):
            add_conv(draw, model, sides)
    for _ in range(8):
        add_fully_connected(draw, model)
    for _ in range(12):
        add_depthwise(draw, model, 40, (1, 1, 2))
    for _ in range(6):
        add_sum(draw, model)
    for _ in range(6):
        add_pool(draw, model, "AVERAGE_POOL_2D", 40)
    return model
