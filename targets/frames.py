"""Frames on the wire: 00 COBS(type, sequence number, payload, CRC32 little-endian) 00.

The agent takes this file to devices, whose Python may be 3.9.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import IntEnum

MAX_PAYLOAD = 1024
PROTOCOL_VERSION = 2
REPLY = 0x80

# COBS adds one byte in each 254, and one; longer runs without a zero are garbage.
_MAX_WIRE = (MAX_PAYLOAD + 6) * 255 // 254 + 2


class Kind(IntEnum):
    """Frame types; the reply to a request has the same number with the top bit set."""

    HELLO = 0x01
    WRITE = 0x02
    READ = 0x03
    RUN = 0x04
    LAYERS = 0x05
    STATS = 0x06
    LAYER_READ = 0x07
    RESET = 0x08
    CLOCK = 0x09
    LAYER_NAMES = 0x0A
    LOG = 0xF0
    PROGRESS = 0xF1
    BOOT = 0xF2
    ERROR = 0xFF


@dataclass(frozen=True)
class Frame:
    """One message, either way; `kind` and `seq` are bytes."""

    kind: int
    seq: int
    payload: bytes = b""


def cobs_encode(data: bytes) -> bytes:
    """Return `data` without zero bytes, as consistent overhead byte stuffing defines it."""
    out = bytearray()
    blocks = data.split(b"\0")
    for index, block in enumerate(blocks):
        while len(block) >= 254:
            out += b"\xff" + block[:254]
            block = block[254:]
            if not block and index == len(blocks) - 1:
                return bytes(out)
        out += bytes([len(block) + 1]) + block
    return bytes(out)


def cobs_decode(data: bytes) -> bytes | None:
    """Return what was encoded, or None if `data` is not the code of anything."""
    out = bytearray()
    at = 0
    while at < len(data):
        code = data[at]
        end = at + code
        if code == 0 or end > len(data):
            return None
        out += data[at + 1 : end]
        at = end
        if code != 0xFF and at < len(data):
            out.append(0)
    return bytes(out)


def encode(frame: Frame) -> bytes:
    """Return the bytes to send for a frame."""
    body = bytes([frame.kind, frame.seq]) + frame.payload
    return b"\0" + cobs_encode(body + zlib.crc32(body).to_bytes(4, "little")) + b"\0"


class Decoder:
    """Finds the good frames in a stream of bytes and counts what it drops."""

    def __init__(self) -> None:
        self._wire = bytearray()
        self.dropped = 0

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes; return the frames they complete."""
        frames = []
        *complete, rest = data.split(b"\0")
        for part in complete:
            wire = bytes(self._wire) + part
            self._wire.clear()
            frame = self._frame(wire)
            if frame is not None:
                frames.append(frame)
        # One byte over the limit is kept so that the frame is still known to be too long.
        self._wire += rest[: _MAX_WIRE + 1 - len(self._wire)]
        return frames

    def _frame(self, wire: bytes) -> Frame | None:
        if not wire:
            return None
        data = cobs_decode(wire) if len(wire) <= _MAX_WIRE else None
        if data is None or not 6 <= len(data) <= MAX_PAYLOAD + 6:
            self.dropped += 1
            return None
        body, crc = data[:-4], int.from_bytes(data[-4:], "little")
        if zlib.crc32(body) != crc:
            self.dropped += 1
            return None
        return Frame(body[0], body[1], body[2:])
