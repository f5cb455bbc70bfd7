"""The simulated board behaves as a board: real image, real UART, real serial port."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgec.codegen.project import render_project
from edgec.targets.profile import Target, load_target
from edgec.targets.session import open_device
from edgec.targets.toolchain import Image, build_image
from tests.tiny_model import MODEL, expected, write_tiny

BOARDS = (
    *("cortex-m0", "cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7"),
    *("cortex-m23", "cortex-m33", "cortex-m55", "cortex-m85"),
    "x86",
)
EMULATED = BOARDS[:-1]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, bool], Image]:
    return {}


def image_of(
    built: dict[tuple[str, bool], Image], folder: Path, target: Target, profile: bool = False
) -> Image:
    key = (target.name, profile)
    if key not in built:
        project = render_project(write_tiny(folder / "lib"), target, folder / "fw", MODEL)
        built[key] = build_image(project, target, profile=profile)
    return built[key]


def random_inputs() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    a = rng.integers(-128, 128, 2000, dtype=np.int8)
    return a, np.array([3, 0, 0, -7], np.int8)


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_computes_what_the_model_says(
    name: str, built: dict[tuple[str, bool], Image], tmp_path: Path
) -> None:
    target = load_target(name)
    a, b = random_inputs()
    with open_device(image_of(built, tmp_path, target), target) as device:
        assert device.info.target == name
        device.write_input(0, a.tobytes())
        device.write_input(1, b.tobytes())
        result = device.run(3, warmup=1)
        assert device.read_output(0) == expected(a, b)[1].tobytes()
        assert len(result.counts) == 3
        assert result.unit == ("ns" if name == "x86" else "instructions")


@pytest.mark.parametrize("name", EMULATED)
def test_instruction_counts_are_exact_and_repeat(
    name: str, built: dict[tuple[str, bool], Image], tmp_path: Path
) -> None:
    target = load_target(name)
    counts = {}
    with open_device(image_of(built, tmp_path, target), target) as device:
        for turns in (0, 1, 2, 255):
            device.write_input(1, bytes([turns, 0, 0, 0]))
            result = device.run(2, warmup=1)
            assert result.counts[0] == result.counts[1]
            counts[turns] = result.counts[0]
    # The loop of the model is two instructions a turn, a thousand turns a unit.
    assert counts[1] - counts[0] == 2000
    assert counts[2] - counts[1] == 2000
    assert counts[255] - counts[0] == 510000


@pytest.mark.parametrize("name", ("cortex-m4", "x86"))
def test_a_profile_build_tells_layers_apart(
    name: str, built: dict[tuple[str, bool], Image], tmp_path: Path
) -> None:
    target = load_target(name)
    a, b = random_inputs()
    with open_device(image_of(built, tmp_path, target, profile=True), target) as device:
        device.write_input(0, a.tobytes())
        device.write_input(1, b.tobytes())
        device.run(1, warmup=1)
        first, second = device.layers()
        assert (first.layer, first.bytes, second.layer, second.bytes) == (0, 2000, 1, 2000)
        mid, out = expected(a, b)
        assert device.read_layer(0, 0, 2000) == mid.tobytes()
        assert device.read_layer(1, 0, 2000) == out.tobytes()
