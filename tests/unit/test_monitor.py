"""What comes over a serial line is shown as what it is: frames by name, text as text."""

from __future__ import annotations

import os
import pty
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edgec.codegen.project import FRAMES, TEMPLATES
from edgec.pipeline import cli
from edgec.targets.device_messages import Kind
from edgec.targets.frames import Frame, encode
from edgec.targets.monitor import Monitor

STREAM = (
    encode(Frame(Kind.BOOT, 0, b"\2"))
    + encode(Frame(Kind.LOG, 0, b"hard fault at 0x08000123"))
    + encode(Frame(Kind.PROGRESS, 7, (12).to_bytes(4, "little")))
    + encode(Frame(Kind.READ | 0x80, 9, b"abc"))
    + encode(Frame(Kind.HELLO, 3, bytes(4)))
    + encode(Frame(0x6A, 1))
)
SHOWN = [
    "[the device has started]",
    "hard fault at 0x08000123",
    "[progress: 12 inferences]",
    "[READ reply 9, 3 bytes]",
    "[HELLO 3, 4 bytes]",
    "[0x6a reply 1, 0 bytes]",
]


def test_frames_are_shown_however_they_are_cut() -> None:
    rng = random.Random(1)
    for _ in range(50):
        shown, at, lines = Monitor(), 0, []
        while at < len(STREAM):
            end = at + rng.randrange(1, 20)
            lines += shown.feed(STREAM[at:end])
            at = end
        assert lines == SHOWN


def test_text_of_other_firmware_is_shown_line_by_line() -> None:
    shown = Monitor()
    assert shown.feed(b"boot ok\r\nmo") == ["boot ok"]
    assert shown.feed(b"del 3\nprompt> ") == ["model 3"]
    assert shown.flush() == ["prompt> "]
    assert shown.flush() == []


def test_text_and_frames_may_alternate() -> None:
    shown = Monitor()
    lines = shown.feed(b"starting\n" + encode(Frame(Kind.LOG, 0, b"ready")) + b"bye\n")
    assert lines == ["starting", "ready", "bye"]


def test_what_a_terminal_would_obey_is_shown_as_its_number() -> None:
    shown = Monitor()
    assert shown.feed(b"\x1b[2Jclear\n") == ["\\x1b[2Jclear"]


def test_half_a_frame_is_not_taken_for_text() -> None:
    shown = Monitor()
    wire = encode(Frame(Kind.LOG, 0, b"all of it"))
    assert shown.feed(wire[:5]) == []
    assert shown.flush() == []
    assert shown.feed(wire[5:]) == ["all of it"]


@contextmanager
def line(says: bytes) -> Iterator[str]:
    """A serial line on which a device says the same over and over."""
    master, slave = pty.openpty()
    over = threading.Event()

    def talk() -> None:
        while not over.wait(0.05):
            os.write(master, says)

    talker = threading.Thread(target=talk)
    talker.start()
    yield os.ttyname(slave)
    over.set()
    talker.join()
    os.close(slave)
    os.close(master)


def listen(*words: str) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["monitor", *words, "--seconds", "0.5"])
    assert left.value.code == 0


def test_the_command_shows_what_a_board_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("EDGEC_LOCKS_DIR", str(tmp_path))
    log = encode(Frame(Kind.LOG, 0, b"ready"))
    with line(b"hello\n" + log) as port:
        listen("--port", port)
        assert {b"hello", b"ready"} <= set(capfdbinary.readouterr().out.splitlines())
        listen("--port", port, "--raw")
        assert log in capfdbinary.readouterr().out


def test_the_firmware_folder_shows_it_without_edgec(tmp_path: Path) -> None:
    shutil.copy(TEMPLATES / "host" / "board.py", tmp_path)
    shutil.copy(FRAMES, tmp_path)
    with line(encode(Frame(Kind.LOG, 0, b"ready"))) as port:
        words = [sys.executable, "board.py", "monitor", "--port", port]
        monitor = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        assert monitor.stdout is not None
        try:
            assert monitor.stdout.readline() == "ready\n"
            monitor.send_signal(signal.SIGINT)
            assert monitor.wait(timeout=20) == 130
        finally:
            monitor.kill()
            monitor.wait()
            monitor.stdout.close()
