"""Reads GNU ld's map file: what the model takes of flash and RAM, and what the bench adds."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edgec.pipeline.errors import BudgetError, BuildError
from edgec.targets.profile import Target

FLASH = frozenset(
    (
        *(".text", ".rodata", ".vectors", ".ARM.exidx", ".ARM.extab", ".data", ".data.rel.ro"),
        *(".init", ".fini", ".plt", ".plt.got", ".plt.sec", ".eh_frame", ".eh_frame_hdr"),
        *(".init_array", ".fini_array"),
    )
)
RAM = frozenset((".data", ".bss"))

_OUTPUT = re.compile(r"^(\.\S+)(?:\s+(0x[0-9a-f]+)\s+(0x[0-9a-f]+))?")
_INPUT = re.compile(r"^ (\S+)\s+0x[0-9a-f]+\s+(0x[0-9a-f]+)(?: (\S.*))?$")
_PLACED = re.compile(r"^\s+0x[0-9a-f]+\s+(0x[0-9a-f]+) (\S.*)$")
MODEL_OBJECT = re.compile(r"^[^/]+/src/")
_CREF = re.compile(r"^(\S+)?\s+(\S.*)$")


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes of flash and RAM."""

    flash_bytes: int
    ram_bytes: int


@dataclass(frozen=True, slots=True)
class Piece:
    """An input section as linked; `library` says whether the model needs it."""

    object: str
    section: str
    library: bool
    flash_bytes: int
    ram_bytes: int


@dataclass(frozen=True, slots=True)
class ImageSize:
    """What an image takes, split into the model and the bench firmware round it.

    `library` is the generated code, its weights and kernels, and what they pull out of the C
    library; its RAM is without `arena_bytes` and `io_bytes`, and without stack.
    """

    library: Usage
    firmware: Usage
    arena_bytes: int
    io_bytes: int
    pieces: tuple[Piece, ...]

    @property
    def flash_bytes(self) -> int:
        """Flash of the model library."""
        return self.library.flash_bytes

    @property
    def ram_bytes(self) -> int:
        """RAM of the model: arena, inputs, outputs and the library's variables, no stack."""
        return self.library.ram_bytes + self.arena_bytes + self.io_bytes

    def largest(self, kind: str, count: int = 10) -> list[tuple[str, int]]:
        """Return the `count` largest objects of the model in "flash" or "ram", with bytes."""
        sums: dict[str, int] = defaultdict(int)
        for piece in self.pieces:
            if piece.library:
                sums[short_name(piece.object)] += _bytes(piece, kind)
        if kind == "ram":
            sums["arena"] += self.arena_bytes
            sums["inputs and outputs"] += self.io_bytes
        ranked = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
        return [item for item in ranked[:count] if item[1] > 0]


def read_map(path: Path, arena_bytes: int, io_bytes: int, *, hosted: bool = False) -> ImageSize:
    """Parse a map file that was written with --cref.

    A `hosted` program's C library is the system's, linked statically or not: what the model calls
    of it is not the model's. Of glibc, one memset alone would pull in half a megabyte.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise BuildError(f"cannot read the linker map {path}: {error.strerror}") from error
    _, found, rest = text.partition("Linker script and memory map")
    layout, _, cref = rest.partition("\nCross Reference Table")
    if not found:
        raise BuildError(f"{path} is not a map file of GNU ld")
    needed = _needed_by_model(cref.splitlines(), hosted)
    pieces = tuple(
        Piece(
            name,
            section,
            name in needed or MODEL_OBJECT.match(name) is not None,
            size if output in FLASH else 0,
            size if output in RAM else 0,
        )
        for output, section, size, name in _contributions(layout.splitlines())
    )
    return image_size(pieces, arena_bytes, io_bytes)


def image_size(pieces: tuple[Piece, ...], arena_bytes: int, io_bytes: int) -> ImageSize:
    """Add the pieces of an image up; arena, inputs and outputs are among the firmware's."""
    library = _sum(piece for piece in pieces if piece.library)
    bench = _sum(piece for piece in pieces if not piece.library)
    firmware = Usage(bench.flash_bytes, max(bench.ram_bytes - arena_bytes - io_bytes, 0))
    return ImageSize(library, firmware, arena_bytes, io_bytes, pieces)


def check_budget(
    size: ImageSize,
    target: Target,
    flash_bytes: int | None = None,
    ram_bytes: int | None = None,
) -> None:
    """Raise BudgetError, with a table of what is largest, if the model takes more than it may.

    A limit that is not given is the profile's budget, else the target's memory.
    """
    limits = {
        "flash": flash_bytes or target.budget.flash_bytes or target.memory_bytes("flash"),
        "ram": ram_bytes or target.budget.ram_bytes or target.memory_bytes("ram"),
    }
    taken = {"flash": size.flash_bytes, "ram": size.ram_bytes}
    over = [kind for kind, limit in limits.items() if limit is not None and taken[kind] > limit]
    if over:
        lines = [f"the model takes {taken[k]} bytes of {k}, {limits[k]} allowed" for k in over]
        tables = [budget_table(size, kind) for kind in over]
        raise BudgetError(
            "; ".join(lines) + "".join(f"\n{table}" for table in tables),
            "try --optimize size, prune or shrink the model, or raise the budget",
        )


def budget_table(size: ImageSize, kind: str) -> str:
    """Return the largest users of "flash" or "ram" as lines of text."""
    rows = [f"  {used:>9}  {name}" for name, used in size.largest(kind)]
    return "\n".join([f"largest in {kind}:", *rows])


def short_name(name: str) -> str:
    """Return an object's name without its folders, an archive member's with its archive."""
    return name.rsplit("/", 1)[-1]


def _bytes(piece: Piece, kind: str) -> int:
    return piece.flash_bytes if kind == "flash" else piece.ram_bytes


def _sum(pieces: Iterable[Piece]) -> Usage:
    chosen = list(pieces)
    return Usage(sum(p.flash_bytes for p in chosen), sum(p.ram_bytes for p in chosen))


def _contributions(lines: list[str]) -> Iterator[tuple[str, str, int, str]]:
    """Yield output section, input section, bytes and object; padding goes with what precedes."""
    output, section, owner = "", "", ""
    for line in lines:
        match = _OUTPUT.match(line)
        if match:
            output, section = match.group(1), ""
            continue
        match = _INPUT.match(line)
        if match:
            name, size, file = match.group(1), int(match.group(2), 16), match.group(3)
            owner = owner if name == "*fill*" else (file or "")
            section = ""
        else:
            match = _PLACED.match(line) if section else None
            if match is None:
                section = _bare_section(line)
                continue
            name, size, owner = section, int(match.group(1), 16), match.group(2)
            section = ""
        if size and owner and (output in FLASH or output in RAM):
            yield output, name, size, owner


def _bare_section(line: str) -> str:
    """Return the name of an input section too long to share its line with its address."""
    bare = re.fullmatch(r" ([.A-Za-z_]\S*)", line)
    return bare.group(1) if bare else ""


def _needed_by_model(lines: list[str], hosted: bool) -> set[str]:
    """Objects reachable from the generated ones by the symbols they use."""
    uses: dict[str, set[str]] = defaultdict(set)
    definer = ""
    objects: set[str] = set()
    for line in lines:
        match = _CREF.match(line)
        if match is None:
            continue
        if match.group(1):
            definer = match.group(2)
        else:
            uses[match.group(2)].add(definer)
        objects.add(match.group(2))
    pending = [name for name in objects if MODEL_OBJECT.match(name)]
    needed = set(pending)
    while pending:
        for name in uses[pending.pop()]:
            # The model never calls the firmware, save for the hook of profile builds.
            if name in needed or re.match(r"^[^/]+/firmware/", name):
                continue
            if not (hosted and "/libc.a(" in name):
                needed.add(name)
                pending.append(name)
    return needed
