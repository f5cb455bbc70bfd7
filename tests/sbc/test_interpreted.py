"""Models that a device's own Python interprets, over SSH: right answers, clear errors."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from edgec.pipeline.backends import tflite
from edgec.pipeline.cli import main
from edgec.pipeline.driver import build
from edgec.pipeline.errors import InfrastructureError, ToolMissingError
from edgec.pipeline.options import BuildOptions
from edgec.pipeline.subject import Subject
from edgec.targets.profile import load_target
from edgec.targets.runners.ssh import reached_by_ssh
from edgec.targets.script import Runtime
from edgec.targets.session import open_device
from edgec.targets.toolchain import Image
from tests.sbc.test_ssh_faults import small_disk, until
from tests.support.models import small_cnn
from tests.support.sshd import SshServer, open_there

__all__ = ["small_disk"]


@pytest.fixture
def image(tmp_path: Path) -> Image:
    model = tmp_path / "small.tflite"
    model.write_bytes(small_cnn())
    target, options = load_target("x86"), BuildOptions(target="x86", backend="tflite")
    subject = Subject(model, model, "small", target, options, lambda p: None)
    return tflite.build(subject, tmp_path).image()


def test_it_is_verified_and_timed_there(
    server: SshServer, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.keep(config, python=sys.executable)
    model = tmp_path / "it's small.tflite"
    model.write_bytes(small_cnn())
    build(model, target="x86", backend="tflite", out=tmp_path / "out", verify=False)
    with pytest.raises(SystemExit) as stop:
        main(["bench", "-q", "--ssh", "pi", "--samples", "20", str(tmp_path / "out")])
    said = capsys.readouterr().out
    assert not stop.value.code
    assert "byte for byte on 20 inputs" in said and "peak memory" in said and "p99" in said
    assert server.left() == {}


def test_a_device_without_the_runtime(server: SshServer, config: Path, image: Image) -> None:
    bare = server.bin / "bare-python"
    bare.write_text('#!/bin/sh\nexec /usr/bin/env -u PYTHONPATH /usr/bin/python3 -S "$@"\n')
    bare.chmod(0o755)
    server.keep(config, python="bare-python")
    wanted = pytest.raises(ToolMissingError, match="its Python has no LiteRT")
    with wanted as caught, open_there(image):
        pass
    assert caught.value.exit_code == 4 and "--install-runtime" in caught.value.hint
    assert server.left() == {}


def test_a_device_without_python(server: SshServer, config: Path, image: Image) -> None:
    server.keep(config, python="no-such-python")
    wanted = pytest.raises(InfrastructureError, match=r"'no-such-python'.* is not installed there")
    with wanted, open_there(image):
        pass
    assert server.left() == {}


def test_a_runtime_is_installed_in_our_folder_only_when_told(
    server: SshServer, config: Path, image: Image, tmp_path: Path
) -> None:
    wheel = tmp_path / "edgec_probe-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("ai_edge_litert/__init__.py", "")
        archive.writestr(
            "ai_edge_litert/interpreter.py", "raise RuntimeError('from the installed wheel')"
        )
        archive.writestr("edgec_probe-1.dist-info/METADATA", "Name: edgec-probe\nVersion: 1\n")
        archive.writestr("edgec_probe-1.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        archive.writestr("edgec_probe-1.dist-info/RECORD", "")
    probe = Runtime("litert", "LiteRT", {"x86_64": (str(wheel),)})
    assert image.script is not None
    told = replace(image, script=replace(image.script, runtime=probe))
    server.keep(config, python=sys.executable)
    with open_there(image) as device:
        assert device.info.model == "small"
    runtimes = server.cache / "edgec" / "runtimes"
    assert not runtimes.exists()
    target = reached_by_ssh(load_target("x86"), "pi", install_runtime=True)
    for _ in range(2):
        wanted = pytest.raises(InfrastructureError, match="from the installed wheel")
        with wanted, open_device(told, target):
            pass
    (folder,) = runtimes.iterdir()
    assert folder.name.startswith(f"cp{sys.version_info[0]}{sys.version_info[1]}-x86_64-litert")
    assert (folder / "complete").is_file()
    assert server.left() == {}
    shutil.rmtree(runtimes)


@pytest.mark.parametrize("what", ["connection", "agent"])
def test_it_dies_while_it_runs(server: SshServer, config: Path, image: Image, what: str) -> None:
    server.keep(config, python=sys.executable)

    def strike() -> None:
        until(server.firmware)
        server.cut() if what == "connection" else os.kill(server.firmware()[0], signal.SIGKILL)

    wanted = {"connection": "connection was lost", "agent": "killed by SIGKILL"}
    with pytest.raises(InfrastructureError, match=wanted[what]), open_there(image) as device:
        killer = threading.Thread(target=strike)
        killer.start()
        while True:
            device.run(100)
    killer.join()
    assert server.left() == {}


def test_a_disk_too_small_for_the_model(
    server: SshServer, config: Path, image: Image, small_disk: Path
) -> None:
    assert image.script is not None
    model = next(a for a in image.script.arguments if isinstance(a, Path))
    with model.open("ab") as file:
        file.truncate(2_000_000)
    server.keep(config, python=sys.executable, folder=str(small_disk / "edgec"))
    with pytest.raises(InfrastructureError, match="the disk is full"), open_there(image):
        pass
    assert server.leases(small_disk / "edgec") == []
    assert server.left() == {}
