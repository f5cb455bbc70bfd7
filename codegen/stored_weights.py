"""int8 weights in less than a byte each: codes of few values, and bit masks of many zeros.

Nothing in the model says that weights are clustered or pruned: they are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edgec.codegen.clustered_weights import Codebook, codebook
from edgec.codegen.registry import Const, Value
from edgec.pipeline.graph import Array

_LEAST_SAVING = 0.95
"""The stored weights' flash, of the plain ones', above which they are not worth a thought."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Rows of weights as `kernels/edgec_stored_weights.h` has them."""

    masks: Array | None
    codes: Array
    book: Codebook | None
    shape: tuple[int, int]

    @property
    def arrays(self) -> Mapping[str, Array | None]:
        """What goes to flash, by the name of its field."""
        book = self.book
        return {
            "masks": self.masks,
            "codes": self.codes,
            "centroids": None if book is None else book.centroids,
            "factors": None if book is None else book.factors,
        }

    @property
    def flash_bytes(self) -> int:
        """All arrays together."""
        return sum(a.nbytes for a in self.arrays.values() if a is not None)

    @property
    def plain_codes(self) -> bool:
        """Whether there are four bits a weight, which the kernels write out fastest."""
        return self.masks is None and self.book is not None and self.book.bits == 4

    @property
    def instructions(self) -> int:
        """What writing out all rows takes, fitted to counts on a Cortex-M4."""
        rows, length = self.shape
        book = self.book
        row = 40 + (0 if book is None else 7 * len(book.centroids))
        codes = 8 * (len(self.codes) - 3) / (8 if book is None else book.bits)
        each = 0.0 if book is None else 3.6 if self.plain_codes else 4.3
        spread = 0.0 if self.masks is None else 7.0
        return int(rows * (row + spread * length) + each * codes)

    @property
    def fields(self) -> dict[str, Value]:
        """The fields of the kernels' parameters."""
        notes = {
            "masks": "(rows, bits of a row)",
            "codes": "(rows, codes of a row)",
            "centroids": "(codes)",
            "factors": "(rows)",
        }
        found: dict[str, Value] = {
            f"stored.{name}": None if data is None else Const(data, notes[name])
            for name, data in self.arrays.items()
        }
        bits = 8 if self.book is None else self.book.bits
        return {**found, "stored.length": self.shape[1], "stored.bits": bits}


def stored_weights(rows: Array, scales: Array) -> tuple[Stored, ...]:
    """Return the forms of int8 rows that are smaller: the least, and the fastest to write out.

    `rows` has shape (out_ch, length), `scales` one real number a row.
    """
    nonzero = rows != 0
    masks = _packed_bits(nonzero)
    found = [Stored(masks, _packed_codes(rows, nonzero, 8), None, rows.shape)]
    for wanted in (np.ones_like(nonzero), nonzero):
        book = codebook(rows, scales, wanted)
        if book is not None:
            codes = _packed_codes(book.codes, wanted, book.bits)
            own = masks if wanted is nonzero else None
            found.append(Stored(own, codes, book, rows.shape))
    small = [s for s in found if s.flash_bytes <= _LEAST_SAVING * rows.size]
    if not small:
        return ()
    least = min(small, key=lambda s: s.flash_bytes)
    fastest = min(small, key=lambda s: s.instructions)
    return (least,) if least is fastest else (least, fastest)


def _packed_bits(bits: Array) -> Array:
    return np.packbits(bits, axis=1, bitorder="little").reshape(-1)


def _packed_codes(codes: Array, wanted: Array, bits: int) -> Array:
    """Return the wanted codes row by row, each row in whole bytes, and three bytes more."""
    low = (codes[:, :, None] >> np.arange(bits)) & 1
    rows = [
        np.packbits(row[keep].astype(bool), bitorder="little")
        for row, keep in zip(low, wanted, strict=True)
    ]
    return np.concatenate([*rows, np.zeros(3, np.uint8)])
