"""Models that a device's own Python interprets, when something goes wrong on the way to it."""

from __future__ import annotations

import shutil
import signal
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edgec.pipeline.backends import onnxruntime
from edgec.pipeline.driver import build
from edgec.pipeline.errors import InfrastructureError
from edgec.pipeline.options import BuildOptions
from edgec.pipeline.subject import Subject
from edgec.targets.profile import load_target
from edgec.targets.runners.ssh import reached_by_ssh
from edgec.targets.session import open_device
from edgec.targets.toolchain import Image
from tests.sbc.test_interpreted import image
from tests.sbc.test_ssh_faults import interrupt, small_disk, until
from tests.support.models import small_cnn
from tests.support.sshd import SshServer, open_there

__all__ = ["image", "small_disk"]

ONNX = Path(__file__).parents[1] / "models" / "torch_residual.onnx"
LARGE = 100_000_000
MODULE = "raise RuntimeError('from the installed wheel')"


def wheel(folder: Path, size: int, *, packed: bool) -> None:
    """Write what pip takes for LiteRT, with a file of `size` bytes in it; nothing else is found."""
    folder.mkdir()
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(folder / "ai_edge_litert-2.3.99-py3-none-any.whl", "w", method) as archive:
        archive.writestr("ai_edge_litert/__init__.py", "")
        archive.writestr("ai_edge_litert/data", bytes(size))
        archive.writestr("ai_edge_litert/interpreter.py", MODULE)
        info = "ai_edge_litert-2.3.99.dist-info"
        archive.writestr(f"{info}/METADATA", "Name: ai-edge-litert\nVersion: 2.3.99\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\n")
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where pip looks for packages, and nowhere else."""
    folder = tmp_path / "its wheels"
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", folder.as_uri())
    return folder


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    model = tmp_path / "it's small.tflite"
    model.write_bytes(small_cnn())
    build(model, target="x86", backend="tflite", out=tmp_path / "its bundle", verify=False)
    return tmp_path / "its bundle"


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """A Python of the device whose disk takes minutes to write out, while the folder `card` is."""
    card = tmp_path / "card"
    card.mkdir()
    (card / "sitecustomize.py").write_text("import os, time\nos.sync = lambda: time.sleep(300)\n")
    python = tmp_path / "python3"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{card}" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return python


@contextmanager
def struck(when: Callable[[], object], how: Callable[[], None]) -> Iterator[None]:
    """Do something as soon as something is there."""

    def strike() -> None:
        until(when)
        how()

    thread = threading.Thread(target=strike)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def arrived(server: SshServer) -> bool:
    """Whether a part of a large file is there."""
    try:
        return any((lease / "image").stat().st_size > 1_000_000 for lease in server.leases())
    except OSError:
        return False


def unpacked(server: SshServer) -> bool:
    """Whether a runtime is there that is not complete."""
    return any((lease / "runtime").exists() for lease in server.leases())


def installed(image: Image) -> None:
    target = reached_by_ssh(load_target("x86"), "pi", install_runtime=True)
    with open_device(image, target):
        pass


def test_the_connection_is_cut_while_a_model_is_pushed(
    server: SshServer, config: Path, image: Image
) -> None:
    server.keep(config, python=sys.executable)
    assert image.script is not None
    model = next(a for a in image.script.arguments if isinstance(a, Path))
    with model.open("ab") as file:
        file.truncate(LARGE)
    wanted = pytest.raises(InfrastructureError, match="connection was lost")
    with struck(lambda: arrived(server), server.cut), wanted, open_there(image):
        pass
    assert all(there.stat().st_size < LARGE for there in server.images())
    assert server.left() == {}


def test_the_connection_is_cut_while_onnxruntime_profiles(
    server: SshServer, config: Path, tmp_path: Path
) -> None:
    server.keep(config, python=sys.executable)
    options = BuildOptions(target="x86", backend="onnxruntime")
    target = load_target("x86")
    subject = Subject(ONNX, tmp_path / "no", "residual", target, options, lambda p: None, ONNX)
    image = onnxruntime.build(subject, tmp_path).profile_image()
    assert image is not None
    wanted = pytest.raises(InfrastructureError, match="connection was lost")
    with wanted, open_there(image) as device:
        # ONNX Runtime writes its times to a file, which goes with the lease.
        assert [list(lease.glob("edgec-*")) for lease in server.leases()] != [[]]
        with struck(server.firmware, server.cut):
            while True:
                device.run(100)
    assert server.left() == {}


@pytest.mark.parametrize("what", ["push", "unpacking"])
def test_the_connection_is_cut_while_a_runtime_is_installed(
    server: SshServer, config: Path, image: Image, wheels: Path, slow: Path, what: str
) -> None:
    server.keep(config, python=str(slow))
    wheel(wheels, LARGE, packed=what == "unpacking")
    begun = arrived if what == "push" else unpacked
    wanted = pytest.raises(InfrastructureError, match="connection was lost")
    with struck(lambda: begun(server), server.cut), wanted:
        installed(image)
    assert server.left() == {}
    runtimes = server.cache / "edgec" / "runtimes"
    assert not runtimes.exists()
    # The next one starts anew, and is whole.
    shutil.rmtree(slow.parent / "card")
    with pytest.raises(InfrastructureError, match="from the installed wheel"):
        installed(image)
    (folder,) = runtimes.iterdir()
    assert (folder / "ai_edge_litert" / "data").stat().st_size == LARGE
    assert server.left() == {}
    shutil.rmtree(runtimes)


def test_paths_there_may_ask_for_quotes(
    server: SshServer, config: Path, image: Image, wheels: Path, tmp_path: Path
) -> None:
    odd = tmp_path / """it's a "$HOME" `folder`"""
    odd.mkdir()
    python = odd / "my python's 3"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    wheel(wheels, 1000, packed=True)
    server.keep(config, python=str(python), folder=str(odd / "edge c"), exec_prefix=("env", "A=' "))
    with pytest.raises(InfrastructureError, match="from the installed wheel"):
        installed(image)
    (folder,) = (odd / "edge c" / "runtimes").iterdir()
    assert (folder / "complete").is_file()
    assert server.leases(odd / "edge c") == [] and server.left() == {}


@pytest.mark.parametrize("packed", [True, False])
def test_a_disk_too_small_for_a_runtime(
    server: SshServer, config: Path, image: Image, wheels: Path, small_disk: Path, packed: bool
) -> None:
    wheel(wheels, 2_000_000, packed=packed)
    there = small_disk / "edgec"
    server.keep(config, python=sys.executable, folder=str(there))
    with pytest.raises(InfrastructureError, match="the disk is full") as caught:
        installed(image)
    assert "make room there" in caught.value.hint
    assert not (there / "runtimes").exists() or list((there / "runtimes").iterdir()) == []
    assert server.leases(there) == []
    assert server.left() == {}


@pytest.mark.parametrize(
    ("moment", "sent", "code"),
    [
        ("run", signal.SIGINT, 130),
        ("run", signal.SIGKILL, -9),
        ("unpacking", signal.SIGINT, 130),
        ("unpacking", signal.SIGKILL, -9),
        ("push", signal.SIGINT, 130),
    ],
)
def test_edgec_is_interrupted(
    server: SshServer, config: Path, bundle: Path, wheels: Path, slow: Path, moment: str,
    sent: signal.Signals, code: int,
) -> None:  # fmt: skip
    server.keep(config, python=str(slow))
    wheel(wheels, LARGE, packed=moment != "push")
    words = ["verify", "--ssh", "pi", "--samples", "1000"]
    words += [] if moment == "run" else ["--install-runtime"]
    begun = {"run": lambda s: s.firmware(), "push": arrived, "unpacking": unpacked}[moment]
    interrupt([*words, str(bundle)], lambda: begun(server), sent, code, server, config)
    assert not (server.cache / "edgec" / "runtimes").exists()
