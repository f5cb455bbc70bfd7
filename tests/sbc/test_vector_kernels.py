"""The int8 kernels for NEON, with the dot product and without, of 64 and 32 bits, under QEMU."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgec.codegen.selection import Optimize
from edgec.pipeline.graph import Rounding
from edgec.targets.profile import load_target
from tests.support.vector_board import require_right_answers


@pytest.mark.parametrize(
    ("number", "name", "rounding", "optimize"),
    [
        (20, "rpi4", Rounding.TFLITE, "speed"),
        (21, "rpi5", Rounding.TFLM, "balanced"),
        (22, "rpi5", Rounding.TFLITE, "speed"),
        (23, "rpi-armv7", Rounding.TFLITE, "balanced"),
        (24, "rpi-armv7", Rounding.TFLM, "speed"),
    ],
)
def test_vectors_answer_as_the_reference(
    number: int, name: str, rounding: Rounding, optimize: Optimize, tmp_path: Path
) -> None:
    require_right_answers(number, load_target(name), rounding, tmp_path, optimize=optimize)
