"""Builds a drawn model with vector kernels for a target, runs it there and compares."""

from __future__ import annotations

from pathlib import Path

from edgec.codegen.selection import Optimize
from edgec.pipeline.graph import Rounding
from edgec.targets.profile import Target
from tests.support import board
from tests.support.vector_layers import drawn


def require_right_answers(
    number: int,
    target: Target,
    rounding: Rounding,
    folder: Path,
    *,
    optimize: Optimize = "balanced",
    made_for: frozenset[str] | None = None,
) -> None:
    """Fail unless the target answers as the reference does, a quarter of the layers by vectors.

    `made_for` are the features that kernels are chosen by, where they are not the target's.
    """
    board.require_right_answers(
        drawn(number), target, rounding, folder, kernels="_vector", share=0.25,
        optimize=optimize, made_for=made_for,
    )  # fmt: skip
