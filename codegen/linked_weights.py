"""Weights as a file that the assembler links, for programs of computers with much memory.

A C array of 100 MB takes a compiler minutes and gigabytes. Here all arrays lie one after the other
in `<name>_weights.bin`, and `<name>_weights.s` gives each of them its symbol. The C that uses them
is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgec.pipeline.graph import Array

ALIGN = 64
"""A cache line, and the widest vector there is."""

LINKED_BYTES = 1 << 20
"""From how many bytes of weights on they are linked rather than compiled."""


@dataclass(frozen=True, slots=True, eq=False)
class Symbol:
    """One array of the weights: its C name, its elements, and what it is."""

    name: str
    data: Array
    comment: str = ""


def assembly(banner: str, blob: str, symbols: Sequence[Symbol]) -> str:
    """Return GNU assembler text that defines each symbol as its part of the file `blob`."""
    lines = [banner]
    for symbol, at in zip(symbols, _offsets(symbols), strict=True):
        name, size = symbol.name, symbol.data.nbytes
        lines += [
            f'    .section .rodata.{name}, "a", %progbits',
            f"    .balign {ALIGN}",
            f"    .global {name}",
            f"    .type {name}, %object",
            f"    .size {name}, {size}",
            f"{name}: /* {symbol.comment} */" if symbol.comment else f"{name}:",
            f'    .incbin "{blob}", {at}, {size}',
        ]
    lines.append('    .section .note.GNU-stack, "", %progbits')
    return "\n".join(lines) + "\n"


def write_blob(path: Path, symbols: Sequence[Symbol]) -> None:
    """Write the arrays, little-endian, each from a multiple of ALIGN on."""
    with path.open("wb") as file:
        for symbol, at in zip(symbols, _offsets(symbols), strict=True):
            file.write(b"\0" * (at - file.tell()))
            order = symbol.data.dtype.newbyteorder("<")
            file.write(np.ascontiguousarray(symbol.data, order).data.cast("B"))


def _offsets(symbols: Sequence[Symbol]) -> Iterator[int]:
    at = 0
    for symbol in symbols:
        yield at
        at += -(-symbol.data.nbytes // ALIGN) * ALIGN
