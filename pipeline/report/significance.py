"""Whether noisy counts rose: the Mann-Whitney test, which assumes nothing of how they spread."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from edgec.pipeline.graph import Array

EXACT_ORDERS = 20_000
"""Up to so many ways to deal the samples out, all of them are counted."""


def rise_probability(before: Sequence[float], after: Sequence[float]) -> float:
    """Return how likely `after` lies so far above `before` by chance alone: a one-sided p value.

    All ways to deal the samples out are counted where they are few; else the rank sum is taken as
    normal, corrected for ties and for being a whole number.
    """
    ranks = _ranks(np.concatenate([before, after]))
    n, m = len(before), len(after)
    found = float(ranks[n:].sum())
    if math.comb(n + m, m) <= EXACT_ORDERS:
        sums = [sum(dealt) for dealt in itertools.combinations(ranks.tolist(), m)]
        return len([one for one in sums if one >= found - 1e-9]) / len(sums)
    total = n + m
    _, ties = np.unique(ranks, return_counts=True)
    tied = float((ties.astype(float) ** 3 - ties).sum()) / (total * (total - 1))
    deviation = math.sqrt(n * m / 12 * (total + 1 - tied))
    if deviation == 0:
        return 1.0
    z = (found - m * (total + 1) / 2 - 0.5) / deviation
    return 0.5 * math.erfc(z / math.sqrt(2))


def _ranks(values: Array) -> Array:
    """Return the rank of each value from 1; equal values share their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Array = ((last - counts + 1 + last) / 2)[inverse]
    return ranks
