"""The kernels for MVE on the emulated board: many random layers in one image, byte-exact."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgec.codegen.selection import Optimize
from edgec.pipeline.graph import Rounding
from edgec.targets.profile import load_target
from tests.support.board import require_right_answers
from tests.support.drawing import drawn_model
from tests.support.mve_layers import draw_model


@pytest.mark.parametrize(
    ("number", "optimize", "rounding"),
    [
        (1, "balanced", Rounding.TFLITE),
        (2, "speed", Rounding.TFLITE),
        (3, "size", Rounding.TFLITE),
        (4, "speed", Rounding.TFLM),
    ],
)
def test_kernels_answer_on_the_board_as_the_reference(
    number: int, optimize: Optimize, rounding: Rounding, tmp_path: Path
) -> None:
    target = load_target("cortex-m55")
    require_right_answers(
        drawn_model(draw_model, number, 5), target, rounding, tmp_path,
        kernels="_mve", share=1 / 3, optimize=optimize,
    )  # fmt: skip
