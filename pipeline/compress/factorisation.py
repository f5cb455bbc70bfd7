"""Splits filters into two smaller ones by singular values, in numpy alone.

Filters are laid out as Keras has them: (kh, kw, in, out), (k, in, out) or (in, out).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from edgec.pipeline.graph import Array

Scheme = Literal["channel", "spatial"]


@dataclass(frozen=True, slots=True)
class Factors:
    """A filter's singular values and vectors, from which factors of any rank are made.

    `channel` is a filter of the same window to `rank` channels and one of window 1 after it;
    `spatial` is a column of kh x 1 to `rank` channels and a row of 1 x kw after it.
    """

    scheme: Scheme
    shape: tuple[int, ...]
    left: Array
    values: Array
    right: Array

    def energy(self, rank: int) -> float:
        """Return the share of the squared singular values that the largest `rank` hold."""
        total = float(np.sum(self.values**2))
        return float(np.sum(self.values[:rank] ** 2)) / total if total else 1.0

    def rank_for(self, energy: float) -> int:
        """Return the smallest rank, 1 at least, that holds `energy` of 0 to 1."""
        total = float(np.sum(self.values**2))
        if not total:
            return 1
        shares = np.cumsum(self.values**2) / total
        return min(len(self.values), int(np.searchsorted(shares, energy - 1e-9)) + 1)

    def pair(self, rank: int) -> tuple[Array, Array]:
        """Return the two filters; the root of each singular value goes to either."""
        roots = np.sqrt(self.values[:rank])
        first, second = self.left[:, :rank] * roots, roots[:, np.newaxis] * self.right[:rank]
        *window, taken, made = self.shape
        if self.scheme == "channel":
            ones = [1] * len(window)
            return first.reshape(*window, taken, rank), second.reshape(*ones, rank, made)
        height, width = window
        row = second.reshape(rank, width, made).transpose(1, 0, 2)
        return first.reshape(height, 1, taken, rank), row.reshape(1, width, rank, made)


def factors(kernel: Array, scheme: Scheme) -> Factors:
    """Decompose a filter; `spatial` wants one of (kh, kw, in, out)."""
    *window, taken, made = kernel.shape
    if scheme == "channel":
        matrix = kernel.reshape(-1, made)
    else:
        height, width = window
        columns = kernel.transpose(0, 2, 1, 3)
        matrix = columns.reshape(height * taken, width * made)
    left, values, right = np.linalg.svd(matrix.astype(np.float64), full_matrices=False)
    return Factors(scheme, tuple(kernel.shape), left, values, right)


def depthwise_pair(kernel: Array, multiplier: int) -> tuple[Array, Array, float]:
    """Return the depthwise (kh, kw, in, multiplier) and pointwise (1, 1, in * multiplier, out)
    filters nearest to a filter, and the share of its energy that they hold.

    The nearest are, for each input channel by itself, the largest singular values of its
    (kh * kw, out) matrix.
    """
    height, width, taken, made = kernel.shape
    matrices = kernel.reshape(height * width, taken, made).transpose(1, 0, 2).astype(np.float64)
    left, values, right = np.linalg.svd(matrices, full_matrices=False)
    rank = min(multiplier, values.shape[1])
    roots = np.sqrt(values[:, :rank])
    first = left[:, :, :rank] * roots[:, np.newaxis]
    second = roots[:, :, np.newaxis] * right[:, :rank]
    total = float(np.sum(values**2))
    energy = float(np.sum(values[:, :rank] ** 2)) / total if total else 1.0
    depthwise = first.transpose(1, 0, 2).reshape(height, width, taken, rank)
    return depthwise, second.reshape(1, 1, taken * rank, made), energy
