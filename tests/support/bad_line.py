"""A serial line that does all a line can do, between the host and firmware that really runs.

The host opens a pseudo-terminal; a thread carries whole frames from there to the board's own pipes
or socket and back. Seeded: a share of the frames, each way, is damaged, cut, lost, repeated, kept
back until long after its turn, or surrounded by garbage, and the board is reset in the middle.
"""

from __future__ import annotations

import json
import os
import random
import select
import socket
import subprocess
import threading
import time
import tty
from collections import Counter, deque
from pathlib import Path
from typing import Protocol

from edgec.targets.device_messages import Kind
from edgec.targets.frames import cobs_decode

FAULTS = (
    *("bits", "cut", "lost", "repeated", "late", "repeated late"),
    *("garbage before", "garbage after"),
)
GARBAGE_BYTES = 3000
LATE_FRAMES = 60
RESET_S = 0.003


class Board(Protocol):
    """Firmware that runs, and can be reset."""

    def read_fd(self) -> int: ...
    def write_fd(self) -> int: ...
    def reset(self) -> None: ...
    def close(self) -> None: ...


class ProcessBoard:
    """Firmware as a process of this machine; a reset kills it and starts it anew."""

    def __init__(self, image: Path) -> None:
        self._image = image
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [str(self._image)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )

    def read_fd(self) -> int:
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def write_fd(self) -> int:
        assert self._process.stdin is not None
        return self._process.stdin.fileno()

    def reset(self) -> None:
        assert self._process.poll() is None, f"the firmware ended by itself: {self._process.poll()}"
        self.close()
        self._start()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


class EmulatedBoard:
    """An emulated board behind its TCP port; a reset is the machine's own, by QEMU's monitor."""

    def __init__(self, port: int, monitor: Path) -> None:
        self._uart = socket.create_connection(("127.0.0.1", port))
        self._uart.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._monitor = socket.socket(socket.AF_UNIX)
        self._monitor.connect(str(monitor))
        self._answers = self._monitor.makefile("r")
        self._answers.readline()
        self._ask("qmp_capabilities")

    def _ask(self, command: str) -> None:
        self._monitor.sendall(json.dumps({"execute": command}).encode() + b"\n")
        while "return" not in json.loads(self._answers.readline()):
            pass

    def read_fd(self) -> int:
        return self._uart.fileno()

    def write_fd(self) -> int:
        return self._uart.fileno()

    def reset(self) -> None:
        self._ask("system_reset")

    def close(self) -> None:
        self._uart.close()
        self._answers.close()
        self._monitor.close()


class _Way:
    """One direction: takes bytes, gives what arrives."""

    def __init__(self, rng: random.Random, share: float) -> None:
        self._rng = rng
        self._share = share
        self._partial = b""
        self._late: list[tuple[int, bytes]] = []
        self.frames = 0
        self.faults: Counter[str] = Counter()
        self.last_kind = 0

    def feed(self, data: bytes) -> bytes:
        *codes, self._partial = (self._partial + data).split(b"\0")
        return b"".join(self._carry(code) for code in codes if code)

    def _carry(self, code: bytes) -> bytes:
        self.frames += 1
        self.last_kind = (cobs_decode(code) or b"\0")[0]
        wire = b"\0" + code + b"\0"
        if self._rng.random() < self._share:
            wire = self._spoiled(wire)
        due = [frame for turn, frame in self._late if turn <= self.frames]
        self._late = [entry for entry in self._late if entry[0] > self.frames]
        return wire + b"".join(due)

    def _spoiled(self, wire: bytes) -> bytes:
        rng, fault = self._rng, self._rng.choice(FAULTS)
        self.faults[fault] += 1
        match fault:
            case "bits":
                spoiled = bytearray(wire)
                for _ in range(rng.randint(1, 8)):
                    spoiled[rng.randrange(len(wire))] ^= 1 << rng.randrange(8)
                return bytes(spoiled)
            case "cut":
                return wire[: rng.randrange(len(wire))]
            case "lost":
                return b""
            case "repeated":
                return wire * rng.randint(2, 4)
            case "late" | "repeated late":
                self._late.append((self.frames + rng.randint(1, LATE_FRAMES), wire))
                return wire if fault == "repeated late" else b""
            case "garbage before":
                return rng.randbytes(rng.randrange(GARBAGE_BYTES)) + wire
            case _:
                return wire + rng.randbytes(rng.randrange(GARBAGE_BYTES))


class BadLine(threading.Thread):
    """The line; open `address` as a serial port.

    `resets` is the share of runs in whose middle the board is reset, at most `most_resets`.
    """

    def __init__(
        self,
        board: Board,
        *,
        share: float = 0.3,
        resets: float = 0.0,
        most_resets: int = 10**9,
        seed: int = 0,
    ) -> None:
        super().__init__(daemon=True)
        self._rng = random.Random(seed)
        self.board = board
        self._resets = resets
        self._most_resets = most_resets
        self.to_board = _Way(random.Random(seed + 1), share)
        self.to_host = _Way(random.Random(seed + 2), share)
        self.reset_count = 0
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self.address = os.ttyname(self._theirs)
        self._out: dict[int, deque[bytes]] = {}
        self._end = threading.Event()
        self._reset_at = float("inf")
        self.failure: BaseException | None = None

    @property
    def frames(self) -> int:
        """Frames that were handed to the line, both ways."""
        return self.to_board.frames + self.to_host.frames

    def __enter__(self) -> BadLine:
        # Garbage at boot: the first thing either side sees.
        self._send(self._ours, self._rng.randbytes(500))
        self._send(self.board.write_fd(), self._rng.randbytes(500))
        self.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._end.set()
        self.join()
        self.board.close()
        os.close(self._ours)
        os.close(self._theirs)
        if self.failure is not None:
            raise self.failure

    def run(self) -> None:
        try:
            while not self._end.is_set():
                self._step()
        except BaseException as error:
            self.failure = error

    def _step(self) -> None:
        source, sink = self.board.read_fd(), self.board.write_fd()
        waiting = [fd for fd, parts in self._out.items() if parts]
        timeout = min(0.02, max(self._reset_at - time.monotonic(), 0.0))
        ready, writable, _ = select.select([self._ours, source], waiting, [], timeout)
        if self._ours in ready:
            self._from_host(sink)
        if source in ready:
            data = os.read(source, 65536)
            assert data, "the firmware ended by itself"
            self._send(self._ours, self.to_host.feed(data))
        for fd in writable:
            self._flush(fd)
        if time.monotonic() >= self._reset_at:
            self._reset(sink)

    def _from_host(self, sink: int) -> None:
        try:
            data = os.read(self._ours, 65536)
        except OSError:
            # Nobody has the port open, yet or any more.
            time.sleep(0.001)
            return
        before = self.to_board.frames
        self._send(sink, self.to_board.feed(data))
        ran = self.to_board.frames > before and self.to_board.last_kind == Kind.RUN
        if self.reset_count >= self._most_resets:
            return
        if ran and self._rng.random() < self._resets:
            self._reset_at = time.monotonic() + RESET_S * self._rng.random()

    def _reset(self, sink: int) -> None:
        self._reset_at = float("inf")
        self._out.pop(sink, None)
        self.board.reset()
        self.reset_count += 1
        self._send(self._ours, self._rng.randbytes(self._rng.randrange(200)))

    def _send(self, fd: int, data: bytes) -> None:
        if data:
            self._out.setdefault(fd, deque()).append(data)

    def _flush(self, fd: int) -> None:
        parts = self._out[fd]
        while parts:
            try:
                sent = os.write(fd, parts[0][:2048])
            except BlockingIOError:
                return
            parts[0] = parts[0][sent:]
            if parts[0]:
                return
            parts.popleft()
