"""Firmware of the tiny model for every board, built once."""

from __future__ import annotations

import pytest

from edgec.codegen.project import render_project
from edgec.targets.profile import load_target
from edgec.targets.toolchain import Image, build_image
from tests.support.firmware_image import BoardImage
from tests.tiny_model import MODEL, write_tiny


@pytest.fixture(scope="session")
def board_image(tmp_path_factory: pytest.TempPathFactory) -> BoardImage:
    """Return the image of a board by its name."""
    built: dict[str, Image] = {}

    def image(name: str) -> Image:
        if name not in built:
            folder = tmp_path_factory.mktemp(name)
            target = load_target(name)
            project = render_project(write_tiny(folder / "lib"), target, folder / "fw", MODEL)
            built[name] = build_image(project, target)
        return built[name]

    return image
