"""Multipliers of 31 bits that round as the reference does in float64, for every sum of a row.

Both are steps that rise with the sum, so they agree where each step is at the same sum. A step asks
for a least or a greatest multiplier; what all steps allow is an interval.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from edgec.codegen.quantmath import quantize_multiplier, requantize_real
from edgec.pipeline.graph import Array

_LEAST, _MOST = 1 << 30, (1 << 31) - 1
_SHIFTS = (-31, 30)
_FAR = 2.0**33
"""Beyond any sum."""

Span = tuple[int, int]
"""Least and greatest, both included."""


def exact_multipliers(scales: Array, reach: tuple[Array, Array], results: Span) -> Array | None:
    """Return (multiplier, shift) of every row, shape (rows, 2); None if a row has none.

    `reach` are the least and the greatest sum of each row, `results` what rescaled sums are clamped
    to. Rows of one scale get the same pair where one serves them all.
    """
    pairs = np.zeros((len(scales), 2), np.int64)
    for scale in np.unique(scales):
        rows = np.flatnonzero(scales == scale)
        spans = [(int(low), int(high)) for low, high in zip(*(r[rows] for r in reach), strict=True)]
        all_sums = (min(low for low, _ in spans), max(high for _, high in spans))
        shared = exact_multiplier(float(scale), all_sums, results)
        for row, sums in zip(rows, spans, strict=True):
            pair = shared or exact_multiplier(float(scale), sums, results)
            if pair is None:
                return None
            pairs[row] = pair
    return pairs


@lru_cache(maxsize=1 << 14)
def exact_multiplier(scale: float, sums: Span, results: Span) -> tuple[int, int] | None:
    """Return the (multiplier, shift) next to a scale that rounds these sums as float64 does.

    It rounds once, halves up. None if there is none.
    """
    usual, exponent = quantize_multiplier(scale)
    steps = list(_steps(scale, sums, results))
    if usual == 0:
        least, most = _allowed(steps, sums, exponent)
        return (usual, exponent) if least <= usual <= most else None
    for shift in (exponent, exponent - 1, exponent + 1):
        if not _SHIFTS[0] <= shift <= _SHIFTS[1]:
            continue
        least, most = _allowed(steps, sums, shift)
        least, most = max(least, _LEAST), min(most, _MOST)
        if least <= most:
            aim = round(scale * 2.0 ** (31 - shift))
            return min(max(aim, least), most), shift
    return None


def _steps(scale: float, sums: Span, results: Span) -> Iterator[tuple[int, int]]:
    """Yield the results that sums are told apart by, each with the first sum that reaches it.

    That is the greatest sum and one where none does.
    """
    ends = requantize_real(np.array(sums), scale)
    first, last = max(int(ends[0]), results[0] + 1), min(int(ends[1]) + 1, results[1])
    values = np.arange(first, last + 1)
    near = np.clip(np.ceil((values - 0.5) / scale), -_FAR, _FAR).astype(np.int64)
    tried = near + np.arange(-1, 3)[:, None]
    reached = requantize_real(tried, scale) >= values
    starts = tried[reached.argmax(axis=0), np.arange(len(values))]
    yield from zip(values.tolist(), np.clip(starts, sums[0], sums[1] + 1).tolist(), strict=True)


def _allowed(steps: list[tuple[int, int]], sums: Span, shift: int) -> Span:
    """Return the least and the greatest multiplier whose steps are at the same sums."""
    least, most = 0, _MOST
    for value, start in steps:
        half = (2 * value - 1) << (30 - shift)  # sum * multiplier reaches the value from here on
        if start <= sums[1]:
            if start > 0:
                least = max(least, -(-half // start))
            elif start < 0:
                most = min(most, half // start)
        before = start - 1
        if start > sums[0]:
            if before > 0:
                most = min(most, (half - 1) // before)
            elif before < 0:
                least = max(least, -((half - 1) // -before))
    return least, most
