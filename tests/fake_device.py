"""A device in Python behind a link that damages frames, for tests without a compiler."""

from __future__ import annotations

import random
import struct
import zlib

from edgec.targets.device_messages import Kind
from edgec.targets.frames import Decoder, Frame, encode

SHA256 = "ab" * 32
BUILD = "0123456789abcdef"


class FakeDevice:
    """Answers as the firmware does: the model's output is its input, reversed."""

    def __init__(self, size: int = 3000, ticks: int = 160, timer: int = 1) -> None:
        self.input = bytearray(size)
        self.output = bytes(size)
        self.ticks = ticks
        self.timer = timer
        self.runs = 0
        self._decoder = Decoder()
        self._last: tuple[Frame, list[Frame]] | None = None
        self._in_session = False

    def feed(self, data: bytes) -> bytes:
        sent = b""
        for request in self._decoder.feed(data):
            if self._last is None or self._last[0] != request:
                self._last = (request, self._answer(request))
                sent += b"".join(encode(frame) for frame in self._last[1])
            else:
                sent += encode(self._last[1][-1])
        return sent

    def restart(self) -> bytes:
        """Lose everything, as a device that is reset does, and say what one says then."""
        self.__init__(len(self.input), self.ticks, self.timer)  # type: ignore[misc]
        return encode(Frame(Kind.BOOT, 0, b"\2"))

    def _answer(self, request: Frame) -> list[Frame]:
        def reply(payload: bytes = b"") -> list[Frame]:
            return [Frame(request.kind | 0x80, request.seq, payload)]

        size = len(self.input)
        self._in_session |= request.kind == Kind.HELLO
        if not self._in_session:
            return [Frame(Kind.ERROR, request.seq, bytes([8, request.kind]))]
        match request.kind:
            case Kind.HELLO:
                fixed = (2, self.timer, 0, 0, 25_000_000, 64, 1024, 120, 1, 1, 1)
                head = struct.pack("<BBBBIIHHHBB", *fixed)
                return reply(
                    head
                    + bytes.fromhex(SHA256)
                    + struct.pack("<II", size, size)
                    + b"\4fake\2m4"
                    + bytes([len(BUILD)])
                    + BUILD.encode()
                )
            case Kind.WRITE:
                _, offset = struct.unpack_from("<BI", request.payload)
                data = request.payload[5:]
                self.input[offset : offset + len(data)] = data
                return reply()
            case Kind.READ:
                _, offset, length = struct.unpack("<BIH", request.payload)
                return reply(self.output[offset : offset + length])
            case Kind.RUN:
                runs, warmup, _ = struct.unpack("<HHB", request.payload)
                self.runs += runs + warmup
                self.output = bytes(reversed(self.input))
                ticks = [self.ticks] * runs
                progress = [
                    Frame(Kind.PROGRESS, request.seq, struct.pack("<I", done))
                    for done in range(runs + warmup + 1)
                ]
                crcs = (zlib.crc32(self.input), zlib.crc32(self.output))
                return progress + reply(struct.pack(f"<QH{runs}Q2I", 16, runs, *ticks, *crcs))
            case Kind.STATS:
                return reply(struct.pack("<6I", 0, 0, 64, 4096, 0, 0))
            case Kind.CLOCK:
                (ms,) = struct.unpack("<H", request.payload)
                progress = [Frame(Kind.PROGRESS, request.seq, bytes(4))]
                return progress + reply(struct.pack("<Q", 25_000_000 * ms // 1000))
            case _:
                return [Frame(Kind.ERROR, request.seq, bytes([1, request.kind]))]


class FakeLink:
    """A link to a FakeDevice; a part of the frames, each way, is cut, flipped or lost."""

    def __init__(self, device: FakeDevice, damage: float = 0.0, seed: int = 0) -> None:
        self.device = device
        self.damage = damage
        self.silent = False
        self.closed = False
        self._random = random.Random(seed)
        self._arrived = b""

    def read(self, timeout_s: float) -> bytes:
        del timeout_s
        data, self._arrived = self._arrived, b""
        return data

    def write(self, data: bytes) -> None:
        if not self.silent:
            answer = self.device.feed(self._spoil(data))
            self._arrived += self._spoil(answer)

    def close(self) -> None:
        self.closed = True

    def _spoil(self, data: bytes) -> bytes:
        return spoiled(data, self._random, self.damage)


def spoiled(data: bytes, rng: random.Random, probability: float) -> bytes:
    """Return data as a bad line delivers it: lost, cut, after garbage, or with a bit flipped."""
    if not data or rng.random() >= probability:
        return data
    kind = rng.randrange(4)
    at = rng.randrange(len(data))
    if kind == 0:
        return b""
    if kind == 1:
        return data[:at]
    if kind == 2:
        return rng.randbytes(rng.randrange(3000)) + data
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]
