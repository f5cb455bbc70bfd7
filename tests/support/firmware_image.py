"""Reads a linked firmware with pyelftools, as a boot loader or the core would see it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

from edgec.targets.toolchain import Image

BoardImage = Callable[[str], Image]
"""The fixture `board_image` of tests/cross: the built firmware of a board by its name."""


@dataclass(frozen=True, slots=True)
class Section:
    """A section that is in memory when the program runs."""

    name: str
    address: int
    size: int


class FirmwareImage:
    """Segments, sections and symbols of an ELF file."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            elf = ELFFile(file)
            self.entry: int = elf["e_entry"]
            self.segments = [
                (int(s["p_paddr"]), s.data()) for s in elf.iter_segments("PT_LOAD") if s["p_filesz"]
            ]
            self.sections = {
                s.name: Section(s.name, s["sh_addr"], s["sh_size"])
                for s in elf.iter_sections()
                if s["sh_flags"] & 2 and s["sh_size"]
            }
            table = elf.get_section_by_name(".symtab")
            self.symbols: dict[str, int] = {s.name: s["st_value"] for s in table.iter_symbols()}

    def flash(self, address: int, size: int) -> bytes:
        """Return bytes as they lie in flash."""
        for start, data in self.segments:
            if start <= address and address + size <= start + len(data):
                return data[address - start : address - start + size]
        raise AssertionError(f"nothing is at {address:#x}")

    def words(self, address: int, count: int) -> tuple[int, ...]:
        """Return words as they lie in flash."""
        return struct.unpack(f"<{count}I", self.flash(address, 4 * count))
