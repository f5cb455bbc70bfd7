"""A bounds-checked reader of FlatBuffers: any offset or length out of the file is a clean refusal.

Format: https://flatbuffers.dev/internals. Fields are addressed by their slot in the schema.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array


class MalformedError(UnsupportedModelError):
    """The bytes are not a well-formed FlatBuffer."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table at byte `pos` of `buf`."""

    buf: bytes
    pos: int

    @staticmethod
    def root(buf: bytes, identifier: bytes) -> Table:
        """Return the root table of a file with this four-byte identifier."""
        if len(buf) < 8 or buf[4:8] != identifier:
            raise MalformedError(f"no {identifier.decode()} identifier at byte 4")
        return Table(buf, _unpack(buf, "<I", 0))

    def _field(self, slot: int) -> int:
        """Return the byte position of a field, 0 where it is absent."""
        vtable = self.pos - _unpack(self.buf, "<i", self.pos)
        size = _unpack(self.buf, "<H", vtable)
        entry = 4 + 2 * slot
        if entry + 2 > size:
            return 0
        offset = _unpack(self.buf, "<H", vtable + entry)
        return self.pos + offset if offset else 0

    def _scalar(self, fmt: str, slot: int, default: int) -> int:
        pos = self._field(slot)
        return _unpack(self.buf, fmt, pos) if pos else default

    def int8(self, slot: int, default: int = 0) -> int:
        """Return a byte or enum field."""
        return self._scalar("<b", slot, default)

    def uint8(self, slot: int, default: int = 0) -> int:
        """Return an unsigned byte field."""
        return self._scalar("<B", slot, default)

    def int32(self, slot: int, default: int = 0) -> int:
        """Return a 32-bit integer field."""
        return self._scalar("<i", slot, default)

    def uint32(self, slot: int, default: int = 0) -> int:
        """Return an unsigned 32-bit field."""
        return self._scalar("<I", slot, default)

    def uint64(self, slot: int, default: int = 0) -> int:
        """Return an unsigned 64-bit field."""
        return self._scalar("<Q", slot, default)

    def boolean(self, slot: int, default: bool = False) -> bool:
        """Return a bool field."""
        return bool(self._scalar("<B", slot, int(default)))

    def float32(self, slot: int, default: float = 0.0) -> float:
        """Return a float field."""
        pos = self._field(slot)
        if not pos:
            return default
        _need(self.buf, pos, 4)
        return float(struct.unpack_from("<f", self.buf, pos)[0])

    def table(self, slot: int) -> Table | None:
        """Return a sub-table, None where it is absent."""
        pos = self._field(slot)
        return Table(self.buf, pos + _unpack(self.buf, "<I", pos)) if pos else None

    def text(self, slot: int) -> str:
        """Return a string, empty where it is absent; bytes that are not UTF-8 are replaced."""
        start, count = self._vector(slot, 1)
        return self.buf[start : start + count].decode("utf-8", "replace")

    def tables(self, slot: int) -> Iterator[Table]:
        """Yield the tables of a vector."""
        start, count = self._vector(slot, 4)
        for pos in range(start, start + 4 * count, 4):
            yield Table(self.buf, pos + _unpack(self.buf, "<I", pos))

    def vector(self, slot: int, dtype: str) -> Array:
        """Return a vector of numbers (`dtype` as numpy names it), empty where it is absent."""
        kind = np.dtype(dtype).newbyteorder("<")
        start, count = self._vector(slot, kind.itemsize)
        return np.frombuffer(self.buf, kind, count, start) if count else np.empty(0, kind)

    def int32s(self, slot: int) -> tuple[int, ...]:
        """Return a vector of 32-bit integers."""
        return tuple(int(v) for v in self.vector(slot, "int32"))

    def _vector(self, slot: int, item_bytes: int) -> tuple[int, int]:
        pos = self._field(slot)
        if not pos:
            return 0, 0
        start = pos + _unpack(self.buf, "<I", pos)
        count = _unpack(self.buf, "<I", start)
        _need(self.buf, start + 4, count * item_bytes)
        return start + 4, count


EMPTY = Table(struct.pack("<HHi", 4, 4, 4), 4)
"""A table without fields: what an absent option table reads as."""


def _need(buf: bytes, pos: int, size: int) -> None:
    if pos < 0 or size < 0 or pos + size > len(buf):
        raise MalformedError(f"offset {pos} with {size} bytes is outside the {len(buf)}-byte file")


def _unpack(buf: bytes, fmt: str, pos: int) -> int:
    _need(buf, pos, struct.calcsize(fmt))
    return int(struct.unpack_from(fmt, buf, pos)[0])
