#!/usr/bin/env python3
"""Asks, measures and listens to a board that runs this folder's firmware; needs only pyserial.

    board.py hello|bench|monitor --port PORT [--baud N]

`bench` sends a fixed input and shows counts only if the answer is the reference's, whose checksum
`answer.json` holds. `edgec bench` does more: many inputs, each layer, stack and memory.
"""

from __future__ import annotations

import argparse
import json
import secrets
import statistics
import struct
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from frames import Decoder, Frame, encode

FOLDER = Path(__file__).resolve().parent.parent

VERSION = 2
HELLO, WRITE, RUN, LOG, PROGRESS, ERROR, REPLY = 0x01, 0x02, 0x04, 0xF0, 0xF1, 0xFF, 0x80
TIMERS = {1: "virtual ns", 2: "ns", 3: "cycles", 4: "cycles", 5: "cycles", 6: "cycles"}
HEAD = struct.Struct("<BBBBIIHHHBB32s")

RUNS = 10
INFERENCE_S = 300.0


class Board:
    """The firmware behind a serial port."""

    def __init__(self, port: str, baud: int) -> None:
        serial = _pyserial()
        self.name = port
        self.port = serial.serial_for_url(port, baudrate=baud, timeout=0.2, do_not_open=True)
        # An Arduino or ESP32 resets, or stays in its boot loader, when these lines move.
        self.port.dtr = self.port.rts = False
        if "://" not in port:
            self.port.exclusive = True
        try:
            self.port.open()
        except (serial.SerialException, OSError) as error:
            sys.exit(f"{port}: {error}")
        self.decoder = Decoder()
        self.seq = 0

    def frames(self) -> Iterator[Frame]:
        """Yield what has come in the last moments."""
        yield from self.decoder.feed(self.port.read(1) + self.port.read(self.port.in_waiting))

    def ask(self, kind: int, payload: bytes = b"", wait_s: float = 1.0) -> bytes:
        """Send a request and return the reply; three tries, after 1, 3 and 9 seconds."""
        self.seq = self.seq % 255 + 1
        for attempt in range(3):
            self.port.write(encode(Frame(kind, self.seq, payload)))
            deadline = time.monotonic() + wait_s * 3**attempt
            while time.monotonic() < deadline:
                for frame in self.frames():
                    if frame.kind == LOG:
                        print(frame.payload.decode("ascii", "replace"), file=sys.stderr)
                    elif frame.seq != self.seq:
                        continue
                    elif frame.kind == PROGRESS:
                        deadline = time.monotonic() + INFERENCE_S
                    elif frame.kind == ERROR:
                        sys.exit(f"the board refused request {kind}: error {frame.payload[0]}")
                    elif frame.kind == kind | REPLY:
                        return bytes(frame.payload)
        sys.exit("the board does not answer: is it flashed and running, are port and speed right?")

    def hello(self) -> dict[str, Any]:
        """Return what the firmware is; end the program if it is not this folder's."""
        data = self.ask(HELLO, secrets.token_bytes(4))
        if not data or data[0] != VERSION:
            sys.exit(f"other firmware answers, of protocol {data[:1].hex()}: make flash")
        fixed = HEAD.unpack_from(data)
        _, timer, profile, state, hz, arena, payload, runs, layers, ins, outs, sha = fixed
        sizes = struct.unpack_from(f"<{ins + outs}I", data, HEAD.size)
        at, texts = HEAD.size + 4 * (ins + outs), []
        for _ in range(3):
            texts.append(data[at + 1 : at + 1 + data[at]].decode("ascii", "replace"))
            at += 1 + data[at]
        wanted = json.loads((FOLDER / "firmware.json").read_text("utf-8"))
        if texts[2] != wanted["build"]:
            sys.exit(f"the board runs {texts[0]} for {texts[1]}, build {texts[2]}: make flash")
        return {
            "model": texts[0], "target": texts[1], "build": texts[2], "sha256": sha.hex(),
            "timer": timer, "hz": hz, "profile": bool(profile), "state": bool(state),
            "arena": arena, "payload": payload, "runs": runs, "layers": layers,
            "inputs": sizes[:ins], "outputs": sizes[ins:],
        }  # fmt: skip


def bench(board: Board) -> None:
    """Run the model on the fixed input; show counts if the answer is right."""
    info = board.hello()
    path = FOLDER / "host" / "answer.json"
    if not path.exists():
        sys.exit("this folder has no reference answer, and no count is shown without: edgec bench")
    answer = json.loads(path.read_text("utf-8"))
    step = info["payload"] - 5
    for index, size in enumerate(info["inputs"]):
        data = fixed_input(size)
        for at in range(0, size, step):
            board.ask(WRITE, struct.pack("<BI", index, at) + data[at : at + step])
    reply = board.ask(RUN, struct.pack("<HHB", RUNS, 1, 1 if info["state"] else 0))
    empty, number = struct.unpack_from("<QH", reply)
    ticks = struct.unpack_from(f"<{number}Q", reply, 10)
    crcs = struct.unpack_from(
        f"<{len(answer['outputs'])}I", reply, len(reply) - 4 * len(answer["outputs"])
    )
    if [f"{crc:08x}" for crc in crcs] != answer["outputs"]:
        sys.exit("the answer is wrong, so no count is shown: edgec verify names the layer")
    unit = TIMERS.get(info["timer"])
    if unit is None or not all(ticks):
        sys.exit("the answer is right, but no timer of the board moves: there is no count")
    counts = [max(tick - empty, 1) for tick in ticks]
    if unit == "virtual ns":
        counts = [count * 10**9 // info["hz"] for count in counts]
    print(f"{info['model']} ({info['build']}): the answer is right")
    print(f"{unit} per inference: {statistics.median(counts):,.0f} (median of {len(counts)}, "
          f"{min(counts):,} to {max(counts):,})")  # fmt: skip
    if unit == "cycles" and not str(Path(board.name).resolve()).startswith("/dev/pts/"):
        # On a pseudo-terminal is an emulator, whose cycles are no time.
        print(f"at {info['hz'] / 1e6:g} MHz: {statistics.median(counts) / info['hz'] * 1e3:.3f} ms")


def fixed_input(size: int) -> bytes:
    """Return the bytes that `answer.json` belongs to: CRC-32s of 0, 1, 2, …"""
    words = (zlib.crc32(struct.pack("<I", i)) for i in range(size // 4 + 1))
    return b"".join(struct.pack("<I", word) for word in words)[:size]


def monitor(board: Board) -> None:
    """Show the board's log until Ctrl-C."""
    while True:
        for frame in board.frames():
            text = frame.payload.decode("ascii", "replace")
            print(
                text if frame.kind == LOG else f"[frame {frame.kind:#04x}, {len(text)} bytes]",
                flush=True,
            )


def _pyserial() -> Any:
    try:
        import serial
    except ImportError:
        sys.exit("this needs pyserial: pip install pyserial, or apt install python3-serial")
    return serial


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("hello", "bench", "monitor"):
        one = commands.add_parser(name)
        one.add_argument("--port", required=True)
        one.add_argument("--baud", type=int, default=115200)
    words = parser.parse_args()
    board = Board(words.port, words.baud)
    try:
        if words.command == "hello":
            print(json.dumps(board.hello(), indent=2))
        else:
            {"bench": bench, "monitor": monitor}[words.command](board)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
