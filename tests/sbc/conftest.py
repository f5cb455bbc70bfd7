"""A server to log in to, settings of one's own, and images to run there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgec.pipeline.driver import build
from edgec.targets.profile import load_target
from edgec.targets.toolchain import Image, build_image
from tests.support.models import small_cnn
from tests.support.sshd import SshServer, pids, program, ssh_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    with ssh_server(tmp_path_factory.mktemp("sshd") / "server") as running:
        yield running


@pytest.fixture
def config(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """The user's settings, in a folder with a name that asks for quotes; nothing local may stay."""
    folder = tmp_path / "my settings 100%"
    local = tmp_path / "tmp"
    local.mkdir()
    monkeypatch.setenv("EDGEC_CONFIG_DIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(local))
    monkeypatch.setenv("TMPDIR", str(local))
    yield folder
    assert not list(local.iterdir())
    mark = str(folder).replace("%", "%%").encode()
    assert not [pid for pid in pids() if mark in program(pid)]


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A bundle of a small network for a Raspberry Pi of 64 bits, of 32, and for this machine."""
    folder = tmp_path_factory.mktemp("bundles")
    model = folder / "small.tflite"
    model.write_bytes(small_cnn())
    names = ("rpi4", "rpi-armv7", "x86")
    for name in names:
        build(model, target=name, out=folder / name, verify=False)
    return {name: folder / name for name in names}


@pytest.fixture(scope="session")
def images(bundles: dict[str, Path]) -> dict[str, Image]:
    return {name: build_image(b / "firmware", load_target(name)) for name, b in bundles.items()}
