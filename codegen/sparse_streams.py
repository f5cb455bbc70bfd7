"""Streams of weights without blocks of zeros, as the headers of the `*_squares` and `*_columns`
kernels describe them."""

from __future__ import annotations

import numpy as np

from edgec.pipeline.graph import Array

BLOCK = 4
"""Output channels that are summed up together."""
SEGMENT = 256
"""Products whose number fits a byte."""


def squares(words: Array, kept: Array) -> Array:
    """Return packed words (blocks, fours, 2, 2) without the squares that are not kept, int32.

    `kept` has shape (blocks, fours).
    """
    return np.concatenate([_squares(w, k) for w, k in zip(words, kept, strict=True)])


def columns(rows: Array, kept: Array, least: int) -> Array:
    """Return rows (blocks, 4, depth) without the columns that are not kept, int32.

    `kept` has shape (blocks, depth); `least` columns, 2 or 4, are what the kernel takes at a time.
    """
    parts = []
    for block, own in zip(rows, kept, strict=True):
        for start in range(0, block.shape[1], SEGMENT):
            (places,) = np.nonzero(own[start : start + SEGMENT])
            spare = (0, -len(places) % least)
            segment = np.pad(block[:, start + places], ((0, 0), spare))
            parts.append(_segment(np.pad(places, spare), segment, least))
    return np.concatenate(parts)


def portable_columns(rows: Array, kept: Array) -> dict[str, Array]:
    """Return the arrays of `edgec_columns` by name.

    `rows` has shape (blocks, 4, depth), `kept` (blocks, depth).
    """
    counts, gaps, weights = [], [], []
    for block, own in zip(rows, kept, strict=True):
        places = _with_stops(np.nonzero(own)[0])
        counts.append(len(places))
        gaps.append(np.diff(places, prepend=-1))
        weights.append(block[:, places].T.reshape(-1))
    return {
        "counts": np.array(counts, np.int32),
        # C has no empty arrays
        "gaps": np.concatenate([*gaps, [0] * (not any(counts))]).astype(np.uint8),
        "weights": np.concatenate([*weights, [0] * (not any(counts))]).astype(np.int8),
    }


def _with_stops(places: Array) -> Array:
    """Return the places with more of them where the gap is too wide for a byte."""
    found: list[int] = []
    last = -1
    for place in places.tolist():
        found += range(last + 255, place, 255)
        found.append(place)
        last = place
    return np.array(found, np.int64)


def _squares(words: Array, kept: Array) -> Array:
    (places,) = np.nonzero(kept)
    before = np.diff(places, prepend=-1) - 1  # fours without weights before each
    whole = words[places].reshape(len(places), 4)
    odd = len(places) % 2
    skips = 16 * before[odd:].reshape(-1, 2)
    turns = np.column_stack([skips[:, 0] | skips[:, 1] << 16, whole[odd:].reshape(-1, 8)])
    first = np.concatenate([[16 * before[0]], whole[0]]) if odd else np.zeros(0)
    return _with_head(np.concatenate([first, turns.reshape(-1)]), odd)


def _segment(places: Array, rows: Array, least: int) -> Array:
    """Return one segment: the columns of int8 rows (4, columns), which are at `places`."""
    wide = rows.astype(np.int64)
    halves = (256 * wide[1::2] + wide[0::2]).astype(np.int16).view(np.uint16).astype(np.int64)
    words = (halves[:, 0::2] | halves[:, 1::2] << 16).T  # (pairs, 2)
    numbers = places[0::2] | places[1::2] << 8
    odd = len(words) % 2 if least == 2 else 0
    both = numbers[odd:].reshape(-1, 2)
    turns = np.column_stack([both[:, 0] | both[:, 1] << 16, words[odd:].reshape(-1, 4)])
    first = np.concatenate([[numbers[0]], words[0]]) if odd else np.zeros(0)
    return _with_head(np.concatenate([first, turns.reshape(-1)]), odd)


def _with_head(stream: Array, odd: int) -> Array:
    """Return a stream behind the word that has its length in bytes, and whether it is odd."""
    whole = np.concatenate([[4 * len(stream) + odd], stream])
    return np.asarray(whole.astype(np.int64).astype(np.uint32).view(np.int32))
