"""int8 weights in less than a byte each: codes of few values, and bit masks of many zeros.

The kernels that read them, `edgec_*_stored`, write a group of output channels out to scratch memory
and call the kernel for plain weights. Nothing in the model says that weights are clustered or
pruned: they are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgec.codegen.clustered_weights import Codebook, codebook
from edgec.codegen.registry import Const, Cost, Io, Step, Value
from edgec.pipeline.graph import Array

_LEAST_SAVING = 0.95
"""The stored weights' flash, of the plain ones', above which they are not worth a thought."""
_SCRATCH = 2048
"""Bytes of weights that may be written out at a time, whatever the layer's size."""
_SCRATCH_SHARE = 8
"""Of input and output together this part may be, too."""


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
    def instructions(self) -> int:
        """What writing out all rows takes, fitted to counts on a Cortex-M4."""
        rows, length = self.shape
        book = self.book
        row = 40 + (0 if book is None else 7 * len(book.centroids))
        codes = 8 * (len(self.codes) - 3) / (8 if book is None else book.bits)
        each = 0.0 if book is None else 3.6 if book.bits == 4 else 6.0
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


def stored_weights(rows: Array, scales: Array) -> Stored | None:
    """Return the least form of int8 rows; None if all forms are about as large as the rows.

    `rows` has shape (out_ch, length), `scales` one real number a row.
    """
    nonzero = rows != 0
    everything = np.ones_like(nonzero)
    found = [Stored(_packed_bits(nonzero), _packed_codes(rows, nonzero, 8), None, rows.shape)]
    for wanted in (everything, nonzero):
        book = codebook(rows, scales, wanted)
        if book is not None:
            masks = None if wanted is everything else _packed_bits(nonzero)
            codes = _packed_codes(book.codes, wanted, book.bits)
            found.append(Stored(masks, codes, book, rows.shape))
    least = min(found, key=lambda s: s.flash_bytes)
    return least if least.flash_bytes <= _LEAST_SAVING * rows.size else None


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


@dataclass(frozen=True, slots=True)
class _Base:
    """A kernel for plain weights that has one for stored ones beside it.

    `block` is the output channels it makes at a time; a `paired` one reads pairs of rows in a word.
    """

    block: int
    paired: bool = False
    groups: bool = False


_BASES = {
    "edgec_conv_2d_int8": _Base(4, groups=True),
    "edgec_conv_2d_int8_dsp": _Base(4, paired=True, groups=True),
    "edgec_fully_connected_int8": _Base(4),
    "edgec_fully_connected_int8_dsp": _Base(8, paired=True),
}


def stored_steps(io: Io, plain: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps of a layer's `plain` ones on stored weights, where these are smaller.

    A core's own kernels go before the portable one, which is the first.
    """
    own = [step for step in plain[1:] if step.kernel in _BASES]
    steps = (_stored_step(io, step) for step in own or plain[:1])
    return tuple(step for step in steps if step is not None)


def _stored_step(io: Io, step: Step) -> Step | None:
    base, weights, cost = _BASES.get(step.kernel), step.params.get("weights"), step.cost
    if (
        base is None
        or not isinstance(weights, Const)
        or cost is None
        or step.params.get("groups", 1) != 1
    ):
        return None
    out_ch = io.input(1).shape[0]
    rows = rows_of_pairs(weights.data, base.block) if base.paired else weights.data
    rows = rows.reshape(-1, rows.shape[-1] if base.paired else weights.data.size // out_ch)[:out_ch]
    scales = np.broadcast_to(np.array(io.input(1).q.scales, np.float64), (out_ch,))
    found = stored_weights(rows, scales)
    if found is None:
        return None
    length = rows.shape[1]
    params: dict[str, Value] = {f"layer.{k}": v for k, v in step.params.items() if k != "weights"}
    again = 0
    own = step.scratch_bytes or 0
    if base.groups:
        group = _group(io, base.block, length)
        params["group"] = group
        passes = -(-out_ch // group)
        # the portable kernel gathers all windows here, also where it could read them in place
        own = max(own, 2 * length if base.paired else length)
        again = (passes - 1) * _window_instructions(io, length)
        scratch = group * length + own
    else:
        passes = -(-out_ch // base.block)
        again = passes * (io.y.size // out_ch) * 60
        scratch = (base.block + (2 if base.paired else 0)) * length
    instructions = cost.instructions + found.instructions + again
    instructions += int(2.5 * rows.size) if base.paired else 0
    flash = cost.flash_bytes - weights.data.nbytes + found.flash_bytes
    return Step(
        f"{step.kernel}_stored",
        {**found.fields, **params},
        scratch_bytes=scratch,
        accesses=step.accesses if base.groups and passes == 1 else (),
        cost=Cost(instructions, flash),
    )


def _group(io: Io, block: int, length: int) -> int:
    """Return how many output channels to write out at a time: all, or few enough for the RAM."""
    blocks = -(-io.input(1).shape[0] // block)
    if blocks * block * length <= min(io.x.size_bytes, io.y.size_bytes):
        return block * blocks  # a second pass would need the input beside the whole output
    room = max(_SCRATCH, (io.x.size_bytes + io.y.size_bytes) // _SCRATCH_SHARE)
    return block * min(blocks, max(1, room // (block * length)))


def _window_instructions(io: Io, length: int) -> int:
    """Return what it takes to widen or gather all windows once more, about."""
    pixels = io.y.size // io.input(1).shape[0]
    return pixels * (60 + 2 * length)


def rows_of_pairs(words: Array, block: int) -> Array:
    """Return the int8 rows of packed words (blocks, length / 4, 2, block / 2), as int64."""
    halves = np.ascontiguousarray(words).view(np.int16).astype(np.int64)
    halves = halves.reshape(*words.shape, 2)  # the pair's first product, its second
    low = ((halves + 128) & 255) - 128
    high = (halves - low) >> 8
    rows = np.stack([low, high], axis=-1)  # (blocks, fours, pair, word, product, row of the word)
    blocks, fours = words.shape[:2]
    # products in a four are numbered 2 * product + pair
    ordered = rows.transpose(0, 3, 5, 1, 4, 2)
    return np.ascontiguousarray(ordered).reshape(blocks * block, 4 * fours)
