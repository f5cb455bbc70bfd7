"""Products with weights of which many are zero: kernels that skip blocks of zeros.

Two kinds of blocks are skipped, whatever made them: *columns* of 4 output channels and one product,
which is what TF-MOT's 1x4 blocks of a dense layer come to, and *squares* of 4 output channels and 4
products, which follow each other in the channels of the input. Nothing in the model says that
weights are pruned: they are looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from edgec.codegen.registry import Const, Cost, Io, Step
from edgec.codegen.stored_weights import rows_of_pairs
from edgec.pipeline.graph import Array

_BLOCK = 4
"""Output channels that are summed up together."""
_SEGMENT = 256
"""Products whose number fits a byte."""
_MOST_KEPT = 0.9
"""The part of blocks with weights above which skipping is not worth a thought."""


def sparse_steps(io: Io, plain: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps of a layer's `plain` ones that skip zeros, where there are many."""
    found = (
        make(io, step)
        for step in plain
        if step.kernel == "edgec_conv_2d_int8_dsp"
        for make in (_squares_step, _columns_step)
    )
    return tuple(step for step in found if step is not None)


def _squares_step(io: Io, step: Step) -> Step | None:
    """Return the convolution by squares."""
    words = _words(step)
    if words is None:
        return None
    kept = words.any(axis=(2, 3))  # (blocks, fours)
    if kept.mean() > _MOST_KEPT or step.cost is None:
        return None
    stream = np.concatenate([_squares(w, k) for w, k in zip(words, kept, strict=True)])
    dense = 6 * kept.size * 4 + 3 * (kept.size // 4)
    sparse = int(28 * kept.sum() + 9 * len(kept))
    return _replaced(io, step, "squares", stream, sparse - dense)


def _columns_step(io: Io, step: Step) -> Step | None:
    """Return the convolution by columns."""
    words = _words(step)
    if words is None or step.cost is None:
        return None
    rows = rows_of_pairs(words, _BLOCK).reshape(len(words), _BLOCK, -1)
    kept = rows.any(axis=1)  # (blocks, depth)
    if kept.mean() > _MOST_KEPT:
        return None
    stream = np.concatenate([_columns(r, k) for r, k in zip(rows, kept, strict=True)])
    depth = kept.shape[1]
    segments = len(kept) * -(-depth // _SEGMENT)
    dense = 6 * kept.size + 3 * (kept.size // 16)
    sparse = int(19 * kept.sum() / 2 + 20 * segments + 2 * depth)
    return _replaced(io, step, "columns", stream, sparse - dense)


def _words(step: Step) -> Array | None:
    weights = step.params.get("weights")
    return weights.data if isinstance(weights, Const) else None


def _replaced(io: Io, step: Step, kind: str, stream: Array, more: int) -> Step | None:
    """Return a step on another stream, which takes `more` instructions for two pixels."""
    weights, cost = step.params["weights"], step.cost
    if not isinstance(weights, Const) or cost is None:
        return None
    pairs = -(-io.y.size // io.y.shape[-1] // 2)
    return replace(
        step,
        kernel=f"{step.kernel}_{kind}",
        params={**step.params, "weights": Const(stream, "see the kernel's header")},
        cost=Cost(
            cost.instructions + pairs * more,
            cost.flash_bytes - weights.data.nbytes + stream.nbytes,
        ),
    )


def _squares(words: Array, kept: Array) -> Array:
    """Return the stream of one block: words (fours, 2, 2), of which some are kept."""
    (places,) = np.nonzero(kept)
    before = np.diff(places, prepend=-1) - 1  # fours without weights before each
    squares = words[places].reshape(len(places), 4)
    odd = len(places) % 2
    skips = 16 * before[odd:].reshape(-1, 2)
    turns = np.column_stack(
        [skips[:, 0] | skips[:, 1] << 16, squares[odd:].reshape(-1, 8)]
    ).reshape(-1)
    first = np.concatenate([[16 * before[0]], squares[0]]) if odd else np.zeros(0)
    return _with_head(np.concatenate([first, turns]), odd)


def _columns(rows: Array, kept: Array) -> Array:
    """Return the stream of one block: int8 rows (4, depth) as int64, of which some are kept."""
    parts = []
    for start in range(0, rows.shape[1], _SEGMENT):
        part = slice(start, start + _SEGMENT)
        (places,) = np.nonzero(kept[part])
        segment = rows[:, part][:, places]
        spare = len(places) % 2
        parts.append(_segment(np.pad(places, (0, spare)), np.pad(segment, ((0, 0), (0, spare)))))
    return np.concatenate(parts)


def _segment(places: Array, rows: Array) -> Array:
    """Return one segment: pairs of columns at `places`."""
    halves = (256 * rows[1::2] + rows[0::2]).astype(np.int16).view(np.uint16).astype(np.int64)
    words = (halves[:, 0::2] | halves[:, 1::2] << 16).T  # (pairs, 2)
    numbers = places[0::2] | places[1::2] << 8
    odd = len(words) % 2
    both = numbers[odd:].reshape(-1, 2)
    turns = np.column_stack([both[:, 0] | both[:, 1] << 16, words[odd:].reshape(-1, 4)])
    first = np.concatenate([[numbers[0]], words[0]]) if odd else np.zeros(0)
    return _with_head(np.concatenate([first, turns.reshape(-1)]), odd)


def _with_head(stream: Array, odd: int) -> Array:
    """Return a stream behind the word that has its length."""
    whole = np.concatenate([[4 * len(stream) + odd], stream])
    return whole.astype(np.int64).astype(np.uint32).view(np.int32)
