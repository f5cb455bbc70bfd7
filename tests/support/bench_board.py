"""A board on the desk that is an emulator: a stand-in for pyOCD flashes it, its UART is a pty."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edgec.targets import bench
from edgec.targets.profile import Target
from edgec.targets.runners import qemu

_PTY = re.compile(r"/dev/pts/\d+")

_FLASHER = """#!{python}
import json, os, sys
sys.path.insert(0, {root!r})
from tests.support.bench_board import flasher
flasher({folder!r}, {command!r}, sys.argv[1:])
"""


class BenchBoard:
    """Its console is a link to whatever pty it has at the moment, as a name by id is.

    `deaf` flashings leave it without firmware that answers; a reset mends it, if `mends`.
    """

    def __init__(self, folder: Path, target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "board"
        self.folder.mkdir()
        self.console = self.folder / "console"
        bin_folder = folder / "board-bin"
        bin_folder.mkdir()
        tool = bin_folder / "pyocd"
        root = str(Path(__file__).resolve().parents[2])
        tool.write_text(
            _FLASHER.format(
                python=sys.executable,
                root=root,
                folder=str(self.folder),
                command=qemu.command("IMAGE", target),
            )
        )  # fmt: skip
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", f"{bin_folder}:{os.environ['PATH']}")
        monkeypatch.setenv("EDGEC_LOCKS_DIR", str(folder / "locks"))
        # An emulator's time is its own; the check of a board's clock has tests of its own.
        monkeypatch.setattr(bench, "check_clock", lambda device: float(device.info.timer_hz))

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of each call of the tool so far."""
        log = self.folder / "calls"
        return [line.split(" ") for line in log.read_text().splitlines()] if log.exists() else []

    def be_deaf(self, *, mends: bool) -> None:
        """Let the next flashing leave firmware that does not answer, until it is reset."""
        (self.folder / "deaf").write_text("reset" if mends else "always")

    def stop(self) -> None:
        """Take the board's power."""
        _stop(self.folder)


def start_emulator(command: list[str], log: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start QEMU with its UART on a pty; return the process and the pty's path."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = _PTY.search(log.read_text(errors="replace"))
        if found:
            return process, found.group()
        time.sleep(0.02)
    process.kill()
    raise RuntimeError(log.read_text(errors="replace"))


def flasher(folder_name: str, command: list[str], words: list[str]) -> None:
    """Be pyOCD, as far as this board is concerned: load and reset."""
    folder = Path(folder_name)
    with (folder / "calls").open("a") as log:
        log.write(" ".join(words) + "\n")
    if words[0] == "json":
        print('{"boards": []}')
        return
    if words[0] == "load":
        (folder / "image.elf").write_bytes(Path(words[-1]).read_bytes())
    deaf = folder / "deaf"
    if words[0] == "reset" and deaf.exists() and deaf.read_text() == "reset":
        deaf.unlink()
    _stop(folder)
    image = folder / "image.elf"
    words = [str(image) if word == "IMAGE" else word for word in command]
    if deaf.exists():
        # The core never starts, so nothing answers.
        words += ["-S"]
    process, pty = start_emulator(words, folder / "log")
    (folder / "pid").write_text(str(process.pid))
    console = folder / "console"
    console.unlink(missing_ok=True)
    console.symlink_to(pty)


def _stop(folder: Path) -> None:
    pid = folder / "pid"
    if not pid.exists():
        return
    try:
        os.killpg(int(pid.read_text()), signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        pid.unlink()
