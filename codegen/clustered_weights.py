"""Finds the few real numbers that int8 weights were rounded from, where there are few.

Clustering leaves a layer with few real weights. Quantisation along the output channels then divides
them by a scale of each channel, so that the int8 values of two channels differ; but the real ones
can be found again. An int8 weight q of scale s says that the real one lies in (q - 1/2) s ..
(q + 1/2) s, and the least set of numbers that hits all of these intervals is found greedily.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgec.pipeline.graph import Array

MOST_BITS = 4
"""The most bits of a code."""
_FRACTION = 46
"""A product of centroid and factor is this many bits above the weight."""
_LARGEST = 1 << 30
"""The centroid farthest from zero."""
_INSIDE = (0.499, 0.4999, 0.49999, 0.499999)
"""How far from an int8 weight its real one may lie: less than 1/2, to leave room for rounding.

What leaves most room goes first; a real weight may happen to lie nearer to the end.
"""


@dataclass(frozen=True, slots=True)
class Codebook:
    """Centroids and a factor for each row, as `kernels/edgec_stored_weights.h` has them.

    `codes` has the shape of the weights; it is 0 where a weight is left out. Without factors the
    centroids are the weights themselves.
    """

    centroids: Array
    factors: Array | None
    codes: Array

    @property
    def bits(self) -> int:
        """Bits of a code."""
        return (len(self.centroids) - 1).bit_length()


def codebook(weights: Array, scales: Array, wanted: Array) -> Codebook | None:
    """Return the codebook of int8 rows, None if there are over 16 centroids.

    `scales` has one entry a row; `wanted` tells which weights the codes must give.
    """
    rows = weights.astype(np.int64)
    if _most_distinct(rows, wanted) > 1 << MOST_BITS:
        return None
    found = [_plain(rows, wanted)]
    for inside in _INSIDE:
        points = _least_points(rows, scales, wanted, inside)
        if points is not None:
            found.append(_fixed_point(rows, scales, wanted, points))
    return min((b for b in found if b is not None), key=_least_bits, default=None)


def _most_distinct(rows: Array, wanted: Array) -> int:
    """Return how many different weights the most diverse row has."""
    return max(len(np.unique(row[keep])) for row, keep in zip(rows, wanted, strict=True))


def _least_bits(book: Codebook) -> int:
    """Return what a codebook and its codes take."""
    factors = 0 if book.factors is None else len(book.factors)
    return book.bits * book.codes.size + 32 * (len(book.centroids) + factors)


def _plain(rows: Array, wanted: Array) -> Codebook | None:
    """Return the codebook of the weights themselves; None if they are over 16."""
    values = np.unique(rows[wanted])
    if len(values) > 1 << MOST_BITS:
        return None
    codes = np.searchsorted(values, np.where(wanted, rows, 0))
    return Codebook(_filled(values), None, np.where(wanted, codes, 0))


def _filled(values: Array) -> Array:
    """Return at least two values, and a power of two of them."""
    count = 1 << max(1, (len(values) - 1).bit_length())
    return np.pad(values, (0, count - len(values))).astype(np.int32)


def _least_points(rows: Array, scales: Array, wanted: Array, inside: float) -> Array | None:
    """Return the fewest real weights that explain all int8 ones.

    None if they are over 16, or if there is nothing but zeros.
    """
    pairs = {
        (int(value), float(scale))
        for row, scale, keep in zip(rows, scales, wanted, strict=True)
        for value in np.unique(row[keep])
    }
    if not any(value for value, _ in pairs):
        return None
    ends = sorted(((v + inside) * s, (v - inside) * s) for v, s in pairs)
    points: list[float] = []
    low = high = -np.inf
    for right, left in ends:
        if left > high:  # beyond the last point: the next one is as far right as this one allows
            if np.isfinite(high):
                points.append((low + high) / 2)
            low, high = left, right
        else:
            low = max(low, left)
        if len(points) >= 1 << MOST_BITS:
            return None
    return np.array([*points, (low + high) / 2])


def _fixed_point(rows: Array, scales: Array, wanted: Array, points: Array) -> Codebook | None:
    """Return the codebook in integers; None if these do not give every weight exactly."""
    centroids = np.rint(points * (_LARGEST / np.abs(points).max())).astype(np.int64)
    unit = np.abs(points).max() / _LARGEST
    real = unit / scales * 2.0**_FRACTION
    used = wanted.any(axis=1)
    if np.any(real[used] >= 2**31):
        return None
    factors = np.where(used, np.rint(np.where(used, real, 0)), 0).astype(np.int64)
    # (rows, centroids)
    given = (centroids * factors[:, None] + (1 << _FRACTION - 1)) >> _FRACTION
    hits = given[:, None, :] == rows[:, :, None]
    if not np.all(hits.any(axis=2) | ~wanted):
        return None
    codes = np.where(wanted, hits.argmax(axis=2), 0)
    return Codebook(_filled(centroids), factors.astype(np.int32), codes)
