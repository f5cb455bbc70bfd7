"""Tells apart what comes over a serial line: the firmware's frames, and plain text."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgec.targets.device_messages import REPLY, Kind
from edgec.targets.frames import Decoder, Frame

_NAMES = {kind.value: kind.name for kind in Kind}


@dataclass(slots=True)
class Monitor:
    """Turns bytes as they arrive into lines to show; a frame is one, and so is a line of text."""

    _pending: bytearray = field(default_factory=bytearray)
    _in_frame: bool = False

    def feed(self, data: bytes) -> list[str]:
        """Take bytes; return the lines they complete."""
        lines: list[str] = []
        *complete, rest = data.split(b"\0")
        for part in complete:
            self._pending += part
            lines += self._segment()
        self._pending += rest
        if not self._in_frame and _is_text(self._pending):
            *ended, left = bytes(self._pending).split(b"\n")
            lines += [_text(line) for line in ended]
            self._pending = bytearray(left)
        return lines

    def flush(self) -> list[str]:
        """Return what has come of a line that does not end, as a prompt does not."""
        return self._segment() if _is_text(self._pending) else []

    def _segment(self) -> list[str]:
        """Return what stood before a zero byte: a frame, which that ends, else text."""
        part = bytes(self._pending)
        self._pending.clear()
        frames = Decoder().feed(b"\0" + part + b"\0")
        self._in_frame = not frames
        if frames:
            return [describe(frames[0])]
        return [_text(line) for line in part.removesuffix(b"\n").split(b"\n")] if part else []


def describe(frame: Frame) -> str:
    """Return one line on a frame: what a LOG says, else its name, number and length."""
    if frame.kind == Kind.LOG:
        return frame.payload.decode("ascii", errors="replace")
    if frame.kind == Kind.PROGRESS:
        return f"[progress: {int.from_bytes(frame.payload[:4], 'little')} inferences]"
    if frame.kind == Kind.BOOT:
        return "[the device has started]"
    name = _NAMES.get(frame.kind) or f"{_NAMES.get(frame.kind & ~REPLY, hex(frame.kind))} reply"
    return f"[{name} {frame.seq}, {len(frame.payload)} bytes]"


def _is_text(data: bytes | bytearray) -> bool:
    return bool(data) and all(byte in b"\t\r\n\x1b" or 32 <= byte < 127 for byte in data)


def _text(line: bytes) -> str:
    """Return a line as it may be shown; what a terminal would obey is shown as its number."""
    text = line.rstrip(b"\r").decode("utf-8", errors="replace")
    return "".join(c if c.isprintable() or c == "\t" else f"\\x{ord(c):02x}" for c in text)
