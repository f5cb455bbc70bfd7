"""Weights and requantisation as the kernels for cores with SMLAD read them.

The layouts are described in `kernels/edgec_conv_2d_int8_dsp_block.h` and the rescaling in
`kernels/edgec_requant_dsp.h`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgec.codegen import products
from edgec.codegen.quantmath import wrap_int32
from edgec.pipeline.graph import Activation, Array, Tensor

LANE = 4
"""Products are packed in fours, the bytes of a word."""
_MOST_SHIFT = 16
_HIGH_RANGE = 1 << 23
_HALF = 1 << 30
"""The multiplier that means 0.5."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The output channels of a layer: one row of weights and one rescaling each.

    `weights` has shape (out_ch, depth) with depth a multiple of 4; the rest one row per channel,
    `bias` with the input zero point folded in.
    """

    weights: Array
    bias: Array
    multipliers: Array

    @property
    def reach(self) -> tuple[Array, Array]:
        """The least and the greatest accumulator of each row."""
        low = np.minimum(self.weights * -128, self.weights * 127).sum(axis=1)
        high = np.maximum(self.weights * -128, self.weights * 127).sum(axis=1)
        return self.bias + low, self.bias + high


@dataclass(frozen=True, slots=True)
class Packed:
    """Rows in whole blocks as the kernels take them, int32 arrays.

    `weights` has shape (blocks, depth / 4, 2, block / 2), `starts` (blocks, block), `scales`
    (blocks, block, {scale, finish}).
    """

    weights: Array
    starts: Array
    scales: Array

    @property
    def uniform(self) -> bool:
        """Whether all rows are rescaled alike."""
        return bool(np.all(self.scales == self.scales[0, 0]))


def packed_rows(
    rows: Rows, y: Tensor, activation: Activation, *, single: bool, block: int
) -> Packed | None:
    """Return the streams of blocks of `block` rows; None if a row cannot be packed.

    Rows need a multiplier below one half, and sums that leave room for the kernels' short cuts.
    Where some have not, those that always give the same output are replaced by ones that have.
    """
    whole = whole_blocks(rows, block)
    if not _fit(whole):
        whole = whole_blocks(_simplified(rows, y, activation, single=single), block)
    return _packed(whole, y, block) if _fit(whole) else None


def rows_of_pairs(words: Array, block: int) -> Array:
    """Return the rows that `packed_rows` made packed words of, as int64 (rows, length)."""
    halves = np.ascontiguousarray(words).view(np.int16).astype(np.int64)
    halves = halves.reshape(*words.shape, 2)  # the pair's first product, its second
    low = ((halves + 128) & 255) - 128
    high = (halves - low) >> 8
    rows = np.stack([low, high], axis=-1)  # (blocks, fours, pair, word, product, row of the word)
    blocks, fours = words.shape[:2]
    # products in a four are numbered 2 * product + pair
    ordered = rows.transpose(0, 3, 5, 1, 4, 2)
    return np.ascontiguousarray(ordered).reshape(blocks * block, 4 * fours)


def rescaled_rows(rows: Rows, y: Tensor, activation: Activation) -> tuple[Rows, Array] | None:
    """Return rows that give the same outputs, and {scale, finish} of each, int64 (out_ch, 2).

    None if a row's range does not allow that.
    """
    if not _rescalable(rows):
        rows = _simplified(rows, y, activation, single=False)
    return (rows, _scales(rows, y)) if _rescalable(rows) else None


def quadruple_rows(rows: Rows, y: Tensor, activation: Activation) -> tuple[Array, Array] | None:
    """Return weights, and {4 * bias, scale, finish} of each row, for sums four times too large.

    None if a row's range does not allow it.
    """
    found = rescaled_rows(rows, y, activation)
    if found is None or np.max(np.abs(found[0].reach)) >= 1 << 29:
        return None
    same, scales = found
    stream = np.column_stack([4 * same.bias, scales])
    return same.weights, stream.astype(np.int32)


def _packed(rows: Rows, y: Tensor, block: int) -> Packed:
    count, depth = rows.weights.shape
    low, high = rows.weights[0::2], rows.weights[1::2]
    halves = (256 * high + low).astype(np.int16).view(np.uint16).astype(np.uint32)
    # (block, word, group, pair's second product, pair) -> (block, group, pair, word)
    split = halves.reshape(count // block, block // 2, depth // LANE, 2, 2)
    words = (split[..., 0, :] | split[..., 1, :] << 16).transpose(0, 2, 3, 1)
    starts = rows.bias.copy()
    starts[1::2] = wrap_int32(256 * rows.bias[1::2] + rows.bias[0::2])
    return Packed(
        np.ascontiguousarray(words).view(np.int32),
        starts.astype(np.int32).reshape(-1, block),
        _scales(rows, y).astype(np.int32).reshape(-1, block, 2),
    )


def _scales(rows: Rows, y: Tensor) -> Array:
    """Return {scale, finish} of every row, as `kernels/edgec_requant_dsp.h` has them."""
    shifts = -rows.multipliers[:, 1]
    finish = ((2 * y.q.zero_point + 1) << (shifts - 1)) * 256 + shifts
    return np.stack([2 * rows.multipliers[:, 0] - (1 << 32), finish], axis=1)


def _simplified(rows: Rows, y: Tensor, activation: Activation, *, single: bool) -> Rows:
    """Return the rows with those whose output is constant as sums of nothing.

    Their bias gives the constant through a multiplier of one quarter.
    """
    ends = [
        products.finish(reach, rows.multipliers, y, activation, single=single).astype(np.int64)
        for reach in rows.reach
    ]
    same = ends[0] == ends[1]
    return Rows(
        np.where(same[:, None], 0, rows.weights),
        np.where(same, 4 * (ends[0] - y.q.zero_point), rows.bias),
        np.where(same[:, None], [_HALF, -1], rows.multipliers),
    )


def whole_blocks(rows: Rows, block: int) -> Rows:
    """Return the rows with zero rows up to a whole number of blocks of `block` rows."""
    more = -len(rows.weights) % block
    return Rows(
        np.pad(rows.weights, ((0, more), (0, 0))),
        np.pad(rows.bias, (0, more)),
        np.pad(rows.multipliers, ((0, more), (0, 0)), mode="edge"),
    )


def _fit(rows: Rows) -> bool:
    """Return whether every row keeps to what two rows in a word can hold."""
    most = np.maximum(*np.abs(rows.reach))
    low, high = rows.weights[0::2], rows.weights[1::2]
    return bool(
        _rescalable(rows)
        and np.all(most[1::2] < _HIGH_RANGE)
        and np.all((high > -128) | (low >= 0))
    )


def _rescalable(rows: Rows) -> bool:
    """Return whether every row can be rescaled in the short way."""
    shifts = -rows.multipliers[:, 1]
    return bool(
        np.all((shifts >= 1) & (shifts <= _MOST_SHIFT))
        and np.all(np.maximum(*np.abs(rows.reach)) < 2**31 - 2**24)
    )
