"""The one number by which a compressed model is judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edgec.pipeline.graph import Array


@dataclass(frozen=True, slots=True)
class Metric:
    """A named score of a model's outputs, (count, *output) in float32, against the targets."""

    name: str
    higher_is_better: bool
    score: Callable[[Array, Array], float]
