"""The int8 kernels for vectors of PCs, and the portable twins: equal to the reference kernels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgec.codegen.selection import Optimize
from edgec.pipeline.backends.aot import host_target
from edgec.pipeline.errors import DeviceError
from edgec.pipeline.graph import Rounding
from edgec.targets.profile import Target, load_target
from tests.support.vector_board import require_right_answers

LAYOUTS = {
    "avx512": frozenset({"avx2", "avx512", "vnni"}),
    "avx2": frozenset({"avx2"}),
    "neon": frozenset({"neon"}),
}


def with_vnni(name: str) -> Target:
    """Return a level with the instructions that came later."""
    target = load_target(name)
    tools = replace(target.toolchain, cflags=(*target.toolchain.cflags, "-mavxvnni"))
    needs = (*target.needs, "avx_vnni")
    features = target.features | {"vnni"}
    return replace(target, toolchain=tools, features=features, needs=needs)


def sanitized(target: Target) -> Target:
    """Return a target whose programs stop at the first step beyond an array."""
    flags = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    tools = target.toolchain
    ldflags = tuple(flag for flag in tools.ldflags if flag != "-static")
    cflags = (*tools.cflags, *flags, "-fsanitize-address-use-after-scope")
    return replace(target, toolchain=replace(tools, cflags=cflags, ldflags=ldflags))


@pytest.mark.parametrize(
    ("number", "layout", "rounding"),
    [
        (1, "avx512", Rounding.TFLITE),
        (2, "avx2", Rounding.TFLM),
        (3, "neon", Rounding.TFLITE),
    ],
)
def test_twins_answer_as_the_reference(
    number: int, layout: str, rounding: Rounding, tmp_path: Path
) -> None:
    require_right_answers(
        number, sanitized(host_target()), rounding, tmp_path, made_for=LAYOUTS[layout]
    )


@pytest.mark.parametrize(
    ("number", "target", "rounding", "optimize"),
    [
        (5, sanitized(load_target("x86")), Rounding.TFLITE, "speed"),
        (6, load_target("x86-64-v4-vnni"), Rounding.TFLM, "balanced"),
        (8, sanitized(load_target("x86-64-v3")), Rounding.TFLITE, "balanced"),
        (9, with_vnni("x86-64-v3"), Rounding.TFLITE, "speed"),
        (10, load_target("x86-64-v4"), Rounding.TFLITE, "balanced"),
    ],
    ids=lambda value: value.name if isinstance(value, Target) else str(value),
)
def test_vectors_answer_as_the_reference(
    number: int, target: Target, rounding: Rounding, optimize: Optimize, tmp_path: Path
) -> None:
    if not target.features & {"avx2", "neon"}:
        pytest.skip("this CPU has no vectors that the kernels know")
    try:
        require_right_answers(number, target, rounding, tmp_path, optimize=optimize)
    except DeviceError as error:
        if "this machine has no" not in error.message:
            raise
        pytest.skip(error.message)


@pytest.mark.parametrize(("number", "layout"), [(11, "avx2")])
def test_a_layout_for_other_vectors_is_read_right(number: int, layout: str, tmp_path: Path) -> None:
    require_right_answers(
        number, load_target("x86"), Rounding.TFLITE, tmp_path, made_for=LAYOUTS[layout]
    )
