"""Reads the map that Zig's linker prints: what the model takes of flash and RAM.

LLD lists what it placed, as GNU ld does, but not who refers to what. So the model is what was
compiled from its own sources; functions of the C library, of its mathematics and of the compiler
count as the system's, whatever calls them. Constants that the linker merged have no owner in the
map: the model's are read from its objects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgec.pipeline.errors import BuildError
from edgec.targets.linkmap import FLASH, MODEL_OBJECT, RAM, ImageSize, Piece, image_size

_LINE = re.compile(r" *([0-9a-f]+) +[0-9a-f]+ +([0-9a-f]+) +\d+ ( *)(\S.*)")
_INPUT = re.compile(r"(.*):\((.*)\)")
_INDENT = 8
"""What stands in a section is indented by so much, its symbols twice."""

_MERGED = "<internal>"
_SHF_MERGE, _SHF_STRINGS = 0x10, 0x20


@dataclass(slots=True)
class _Placed:
    """An input section: where it is, and how much it takes with the padding after it."""

    output: str
    object: str
    section: str
    address: int
    size: int


def read_lld_map(path: Path, arena_bytes: int, io_bytes: int) -> ImageSize:
    """Parse the map of an image beside whose objects it lies; they are named as make named them."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    if not lines or lines[0].split() != ["VMA", "LMA", "Size", "Align", "Out", "In", "Symbol"]:
        raise BuildError(f"{path} is not a map of LLD")
    placed = list(_placed(lines[1:]))
    project = path.parent.parent
    objects = sorted({p.object for p in placed if MODEL_OBJECT.match(p.object)})
    constants = _constants([project / name for name in objects])
    pieces: list[Piece] = []
    for part in placed:
        if part.object == _MERGED and part.section in constants:
            own = min(constants[part.section], part.size)
            pieces.append(_piece(part, "constants", own, library=True))
            pieces.append(_piece(part, _MERGED, part.size - own, library=False))
        else:
            library = MODEL_OBJECT.match(part.object) is not None
            pieces.append(_piece(part, part.object, part.size, library=library))
    return image_size(tuple(pieces), arena_bytes, io_bytes)


def _piece(part: _Placed, name: str, size: int, *, library: bool) -> Piece:
    flash = size if part.output in FLASH else 0
    return Piece(name, part.section, library, flash, size if part.output in RAM else 0)


def _placed(lines: list[str]) -> Iterator[_Placed]:
    """Yield what lies in flash or RAM; padding goes with what precedes, as in GNU ld's map."""
    output, end = "", 0
    last: _Placed | None = None
    for match in filter(None, map(_LINE.fullmatch, lines)):
        address, size = int(match[1], 16), int(match[2], 16)
        if not match[3]:
            if last is not None:
                last.size = end - last.address
                yield last
            output, end, last = match[4], address + size, None
            continue
        found = _INPUT.fullmatch(match[4])
        if len(match[3]) != _INDENT or found is None or output not in FLASH | RAM:
            continue
        if last is not None:
            last.size = address - last.address
            yield last
        last = _Placed(output, found[1], found[2], address, size)
    if last is not None:
        last.size = end - last.address
        yield last


def _constants(objects: list[Path]) -> dict[str, int]:
    """Return the bytes of each section of constants that these objects alone would merge to."""
    from elftools.elf.elffile import ELFFile

    found: dict[str, set[bytes]] = {}
    for path in objects:
        with path.open("rb") as file:
            for section in ELFFile(file).iter_sections():
                if section["sh_flags"] & _SHF_MERGE and section["sh_size"]:
                    found.setdefault(section.name, set()).update(_entries(section))
    return {name: sum(map(len, entries)) for name, entries in found.items()}


def _entries(section: Any) -> Iterator[bytes]:
    data, width = section.data(), section["sh_entsize"]
    if section["sh_flags"] & _SHF_STRINGS:
        yield from (text + b"\0" for text in data.split(b"\0")[:-1])
    else:
        yield from (data[at : at + width] for at in range(0, len(data), width))
