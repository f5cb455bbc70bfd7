"""`edgec flash` on what another program compiled: an ESP-IDF project, on a device in Python."""

from __future__ import annotations

import json
import os
import pty
import threading
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgec.pipeline.errors import DeviceError, InfrastructureError, ToolMissingError, UsageError
from edgec.pipeline.flash import flash
from edgec.targets import session
from edgec.targets.device_protocol import Timeouts
from edgec.targets.runners.board import Wish
from tests.fake_device import BUILD, SHA256, FakeDevice
from tests.support.fake_tool import FakeTool
from tests.support.usb import FakeUsb


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "firmware"
    (folder / "build").mkdir(parents=True)
    facts = {"target": "esp32-c3", "model": "fake", "model_sha256": SHA256, "build": BUILD}
    (folder / "firmware.json").write_text(json.dumps(facts))
    return folder


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The port of a device that answers as the firmware does."""
    FakeUsb(tmp_path, monkeypatch)
    monkeypatch.setattr(session, "Timeouts", lambda: Timeouts(reply_s=0.05))
    master, slave = pty.openpty()
    tty.setraw(slave)
    device = FakeDevice()

    def serve() -> None:
        while True:
            try:
                data = os.read(master, 4096)
            except OSError:
                return
            if data == b"\x04over":
                return
            os.write(master, device.feed(data))

    server = threading.Thread(target=serve)
    server.start()
    yield os.ttyname(slave)
    os.write(slave, b"\x04over")
    server.join(timeout=10)
    os.close(slave)
    os.close(master)


def test_a_project_of_esp_idf_is_flashed_where_its_files_lie(
    project: Path, port: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    esptool = FakeTool(tmp_path, "esptool", monkeypatch)
    esptool.answers((0, "Hash of data verified.\n"))
    with pytest.raises(
        ToolMissingError, match="nothing is compiled yet that is flashed"
    ) as missing:
        flash(project, Wish(port=port))
    assert missing.value.hint.startswith("idf.py build")
    (project / "build" / "flash_args").write_text("0x0 bootloader/bootloader.bin\n")
    done = flash(project, Wish(port=port))
    assert done.hello is not None and done.hello.build == BUILD
    assert (done.port, done.flashed.tool) == (port, "esptool")
    assert esptool.calls == [
        ["--chip", "esp32c3", "--port", port, "--baud", "460800", "--before", "default-reset",
         "--after", "hard-reset", "write-flash", "@flash_args"]
    ]  # fmt: skip
    assert esptool.folders == [str(project / "build")]


def test_another_build_on_the_chip_is_reset_once_and_then_named(
    project: Path, port: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    esptool = FakeTool(tmp_path, "esptool", monkeypatch)
    esptool.answers((0, "Hash of data verified.\n"))
    (project / "build" / "flash_args").touch()
    facts = json.loads((project / "firmware.json").read_text())
    (project / "firmware.json").write_text(json.dumps({**facts, "build": "f" * 16}))
    with pytest.raises(InfrastructureError) as caught:
        flash(project, Wish(port=port))
    assert caught.value.name == "not-running"
    assert f"build {BUILD}" in caught.value.message
    assert [call[-2:] for call in esptool.calls] == [
        ["write-flash", "@flash_args"],
        ["hard-reset", "read-mac"],
    ]


def test_a_bridge_that_may_be_either_board_is_not_guessed(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usb = FakeUsb(tmp_path, monkeypatch)
    FakeTool(tmp_path, "esptool", monkeypatch)
    (project / "build" / "flash_args").touch()
    for number, serial in enumerate(("0001", "0001")):
        usb.port(f"/dev/ttyUSB{number}", "10c4:ea60", serial, f"1-{number + 1}")
    with pytest.raises(DeviceError) as caught:
        flash(project)
    assert caught.value.name == "probe-ambiguous"
    assert "usb:LOCATION" in caught.value.hint


LAB = """
[[board]]
name = "desk-c3"
type = "esp32-c3"
console = "{port}"

[[board]]
name = "far-away"
type = "esp32-s3"
console = "/dev/ttyFAR"
"""


@pytest.mark.parametrize("board", (None, "desk-c3", "esp32-c3"))
def test_the_lab_knows_where_a_board_is(
    board: str | None, project: Path, port: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = tmp_path / "lab.toml"
    lab.write_text(LAB.format(port=port))
    monkeypatch.setenv("EDGEC_LAB", str(lab))
    esptool = FakeTool(tmp_path, "esptool", monkeypatch)
    esptool.answers((0, "Hash of data verified.\n"))
    (project / "build" / "flash_args").touch()
    assert flash(project, board=board).port == port
    assert esptool.calls[0][2:4] == ["--port", port]
    # What is said goes before what the lab knows.
    (link := tmp_path / "other").symlink_to(port)
    assert flash(project, Wish(port=str(link)), board=board).port == str(link)
    with pytest.raises(UsageError, match="was built for esp32-c3, not for esp32-s3"):
        flash(project, board="far-away")
