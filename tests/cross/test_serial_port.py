"""A board on a real serial port: an emulator's UART on a pseudo-terminal, flashed by a stand-in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgec.pipeline import cli
from edgec.pipeline.driver import bench, build, verify
from edgec.pipeline.errors import DeviceError, EdgecError, InfrastructureError, VerificationError
from edgec.pipeline.flash import flash
from edgec.pipeline.report.document import document, read_document
from edgec.targets import session
from edgec.targets.device_protocol import Timeouts
from edgec.targets.links.serial import SerialLink
from edgec.targets.profile import load_target
from edgec.targets.runners import qemu
from edgec.targets.runners.board import Wish, at_board
from edgec.targets.runners.port import at_port
from edgec.targets.toolchain import build_image
from tests.support.bench_board import BenchBoard, start_emulator
from tests.support.models import small_cnn
from tests.support.usb import FakeUsb

BOARD = "nucleo-f446re"


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bundles")
    model = folder / "small.tflite"
    model.write_bytes(small_cnn())
    found = {}
    for name, target, optimize in (
        ("m4", "cortex-m4", "balanced"), ("m4-size", "cortex-m4", "size"),
        ("board", BOARD, "balanced"),
    ):  # fmt: skip
        found[name] = folder / name
        build(model, target=target, optimize=optimize, verify=False, out=found[name])
    return found


@pytest.fixture(scope="module")
def port(bundles: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Cortex-M4 board that runs the firmware of bundle `m4`, as `make run` starts it."""
    image = bundles["m4"] / "firmware" / "build" / "image.elf"
    words = qemu.command(str(image), load_target("cortex-m4"))
    process, pty = start_emulator(words, tmp_path_factory.mktemp("qemu") / "log")
    yield pty
    process.kill()
    process.wait()


@pytest.fixture(autouse=True)
def locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEC_LOCKS_DIR", str(tmp_path / "locks"))


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main(list(arguments))
    return int(left.value.code or 0)


def test_a_board_on_a_port_is_verified_and_counted_as_the_runner_does(
    port: str, bundles: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "result.json"
    words = ["--port", port, "--samples", "1", "-q", "-o", str(out)]
    assert run("bench", *words, str(bundles["m4"])) == 0
    assert "host C = cortex-m4, byte for byte" in capsys.readouterr().out
    there = read_document(out)
    here = document(bench(bundles["m4"], samples=1))
    for part in ("latency", "memory"):
        assert there[part] == here[part]
    # The profile build is another image, which nobody has flashed.
    assert not any(layer["count"] for layer in there["layers"])
    assert any(layer["count"] for layer in here["layers"])


def test_another_build_of_the_same_model_is_refused(port: str, bundles: dict[str, Path]) -> None:
    with pytest.raises(DeviceError, match="wrong firmware on board") as caught:
        verify(bundles["m4-size"], samples=1, reach=lambda target: at_port(target, port))
    assert caught.value.hint == "flash the image again"
    assert caught.value.name == "wrong-firmware"


def test_a_port_is_ours_alone(
    port: str, bundles: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    link = SerialLink(port)
    try:
        # Another program, which knows nothing of our locks.
        words = [sys.executable, "-c", f"import serial; serial.Serial({port!r}, exclusive=True)"]
        assert subprocess.run(words, capture_output=True, check=False).returncode != 0
        assert run("bench", "--port", port, "--json", str(bundles["m4"])) == 8
    finally:
        link.close()
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["name"] == "port-busy"
    assert "ModemManager" in error["hint"]


def test_a_port_that_is_not_there_is_exit_3(
    bundles: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("bench", "--port", "/dev/ttyNOPE", "--json", str(bundles["m4"])) == 3
    assert json.loads(capsys.readouterr().out)["error"]["name"] == "port-not-found"


def test_a_port_one_may_not_open_says_which_group(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied", "/dev/ttyACM0")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(InfrastructureError, match="you may not open the serial port") as caught:
        SerialLink("/dev/ttyACM0")
    monkeypatch.undo()
    assert "dialout" in caught.value.hint


def test_dtr_and_rts_are_low_before_the_port_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    import serial

    seen = []

    class Port(SimpleNamespace):
        def open(self) -> None:
            seen.append((self.dtr, self.rts, self.exclusive, self.baudrate))

    monkeypatch.setattr(serial, "serial_for_url", lambda _, baudrate, **__: Port(baudrate=baudrate))
    SerialLink("/dev/ttyACM0", 9600)
    assert seen == [(False, False, True, 9600)]


def test_the_firmware_folder_measures_without_edgec(port: str, bundles: dict[str, Path]) -> None:
    folder = bundles["m4"] / "firmware"
    words = ["make", "-s", "-C", str(folder), "bench", f"PORT={port}", f"PYTHON={sys.executable}"]
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]}
    )
    assert done.returncode == 0, done.stderr
    assert "the answer is right" in done.stdout
    assert "per inference" in done.stdout
    wrong = folder / "host" / "answer.json"
    right = wrong.read_text()
    try:
        wrong.write_text(json.dumps({"outputs": ["00000000"]}))
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    finally:
        wrong.write_text(right)
    assert done.returncode != 0 and "per inference" not in done.stdout
    assert "the answer is wrong, so no count is shown" in done.stderr


def test_the_firmware_folder_knows_another_build(port: str, bundles: dict[str, Path]) -> None:
    script = bundles["m4-size"] / "firmware" / "host" / "board.py"
    words = [sys.executable, str(script), "bench", "--port", port]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "make flash" in done.stderr


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BenchBoard]:
    """A Nucleo, plugged in with its ST-LINK's serial number and console."""
    board = BenchBoard(tmp_path, load_target(BOARD), monkeypatch)
    usb = FakeUsb(tmp_path, monkeypatch)
    usb.nucleo("066BFF555", "1-1", str(board.console))
    (usb.by_id / "usb-STM_STLINK_066BFF555-if02").unlink()
    monkeypatch.setattr(session, "Timeouts", lambda: Timeouts(reply_s=0.4))
    yield board
    board.stop()


def test_a_board_is_flashed_and_asked_who_it_is(
    desk: BenchBoard, bundles: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("flash", "--json", str(bundles["board"])) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["serial"] == "066BFF555" and facts["port"] == str(desk.console)
    built = json.loads((bundles["board"] / "firmware" / "firmware.json").read_text())
    assert facts["hello"]["build"] == built["build"]
    assert facts["flashed"]["tool"] == "pyocd"
    loads = [call for call in desk.calls if call[0] == "load"]
    elf = str(bundles["board"] / "firmware" / "build" / "image.elf")
    assert loads == [
        ["load", "--no-wait", "-u", "066BFF555", "-t", "stm32f446retx", "-O", "auto_unlock=false",
         "-O", "resume_on_disconnect=false", "-e", "sector", elf]
    ]  # fmt: skip
    # Whoever comes over the port alone finds this build there.
    target = load_target(BOARD)
    image = build_image(bundles["board"] / "firmware", target)
    with session.open_device(image, at_port(target, facts["port"])) as device:
        assert device.info.target == BOARD


def test_a_board_is_measured_with_its_layers(desk: BenchBoard, bundles: dict[str, Path]) -> None:
    result = bench(bundles["board"], samples=1, target=BOARD, reach=lambda t: at_board(t, Wish()))
    assert result.unit == "cycles" and result.total
    assert sum(layer.count or 0 for layer in result.layers) > 0
    assert [call[0] for call in desk.calls if call[0] != "json"] == ["load", "load"]


def test_a_board_that_does_not_start_is_reset_once(
    desk: BenchBoard, bundles: dict[str, Path]
) -> None:
    desk.be_deaf(mends=True)
    done = flash(bundles["board"])
    assert done.hello is not None
    assert [call[0] for call in desk.calls if call[0] != "json"] == ["load", "reset"]


def test_a_board_that_never_answers_is_named_so(desk: BenchBoard, bundles: dict[str, Path]) -> None:
    desk.be_deaf(mends=False)
    with pytest.raises(InfrastructureError) as caught:
        flash(bundles["board"])
    assert caught.value.name == "not-running"
    assert "nucleo-f446re (066BFF555)" in caught.value.message
    assert "the device did not answer HELLO" in caught.value.message
    assert [call[0] for call in desk.calls if call[0] != "json"] == ["load", "reset"]


def test_a_board_without_a_console_is_flashed_and_that_is_said(
    desk: BenchBoard, bundles: dict[str, Path], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr("serial.tools.list_ports.comports", list)
    assert run("flash", str(bundles["board"])) == 0
    assert "nobody asked whether it runs" in capsys.readouterr().err
    with pytest.raises(DeviceError) as caught:
        bench(bundles["board"], samples=1, target=BOARD, reach=lambda t: at_board(t, Wish()))
    assert caught.value.name == "port-not-found"


@pytest.mark.parametrize(
    ("seconds", "found"),
    [
        (60.0, "first in layer 0"),
        (0.0, r"the first 0 of \d+ layers are right"),
    ],
)
def test_a_wrong_answer_of_a_board_names_the_layer(
    desk: BenchBoard, bundles: dict[str, Path], monkeypatch: pytest.MonkeyPatch, seconds: float,
    found: str,
) -> None:  # fmt: skip
    """The profile build is flashed for that, when the clean one is done with."""
    monkeypatch.setattr("edgec.pipeline.driver.verify_host", lambda trial: None)
    monkeypatch.setattr(
        "edgec.pipeline.verify.first_difference", lambda got, want, allowed: (0,) * got.ndim
    )
    monkeypatch.setattr("edgec.pipeline.verify.EXPLAIN_S", seconds)
    with pytest.raises(VerificationError, match=found):
        verify(bundles["board"], samples=1, target=BOARD, reach=lambda t: at_board(t, Wish()))
    assert [call[0] for call in desk.calls if call[0] != "json"] == ["load", "load"]


def test_a_build_touches_no_board(desk: BenchBoard, bundles: dict[str, Path]) -> None:
    target = replace(load_target(BOARD), runner="board", runner_options={})
    with pytest.raises(EdgecError, match="nothing here emulates it"):
        verify(bundles["board"], samples=1, reach=lambda _: target)
    assert desk.calls == []


def test_the_firmware_folder_flashes_without_edgec(
    desk: BenchBoard, bundles: dict[str, Path]
) -> None:
    make = ["make", "-s", "-C", str(bundles["board"] / "firmware")]
    environment = {"PATH": os.environ["PATH"]}
    for words in (["flash", "SERIAL=066BFF555"], ["reset"]):
        subprocess.run([*make, *words], check=True, capture_output=True, env=environment)
    load, reset = desk.calls
    assert load[:5] == ["load", "--no-wait", "-u", "066BFF555", "-t"]
    assert load[-1] == "build/image.elf"
    assert reset[0] == "reset" and "-u" not in reset
    words = [*make, "bench", f"PORT={desk.console}", f"PYTHON={sys.executable}"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    assert "the answer is right" in done.stdout, done.stderr
