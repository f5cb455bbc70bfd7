"""Draws models for tests that want the same ones in every run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.support.flatmodel import FlatModel


def drawn_model(draw_model: Callable[[Any], FlatModel], number: int, examples: int) -> FlatModel:
    """Return the last of `examples` models that `draw_model(draw)` makes: the first are trivial."""
    found: list[FlatModel] = []

    @seed(number)
    @settings(
        max_examples=examples, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def run(data: st.DataObject) -> None:
        found.append(draw_model(data.draw))

    run()
    return found[-1]
