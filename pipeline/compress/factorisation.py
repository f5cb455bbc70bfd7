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
class Moments:
    """Of the outputs, bias left out, of the layer that `output_kernel` makes: E[y y'] and E[y]."""

    second: Array
    mean: Array


@dataclass(frozen=True, slots=True)
class Factors:
    """A filter's decomposition, from which two filters of any rank are made.

    `channel` is a filter of the same window to `rank` channels and one of window 1 after it;
    `spatial` is a column of kh x 1 to `rank` channels and a row of 1 x kw after it. `directions`
    holds the principal directions of the outputs in columns, `values` how far outputs reach along
    each, in falling order, and `mean` the outputs' mean where they were centred.
    """

    scheme: Scheme
    kernel: Array
    directions: Array
    values: Array
    mean: Array | None = None

    def energy(self, rank: int) -> float:
        """Return the share of the squared values that the largest `rank` hold."""
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
        """Return the two filters; the root of each value goes to either, to balance them."""
        floor = max(float(self.values[0]) * 1e-6, 1e-30)
        roots = np.sqrt(np.maximum(self.values[:rank], floor))
        directions = self.directions[:, :rank]
        wide = output_kernel(self.kernel, self.scheme)
        first = (wide.reshape(-1, wide.shape[-1]) @ directions) / roots
        second = roots[:, np.newaxis] * directions.T
        *window, _, made = self.kernel.shape
        first = first.reshape(*wide.shape[:-1], rank)
        if self.scheme == "channel":
            return first, second.reshape(*[1] * len(window), rank, made)
        row = second.reshape(rank, window[1], made).transpose(1, 0, 2)
        return first, row.reshape(1, window[1], rank, made)

    def bias_shift(self, rank: int) -> Array:
        """Return what the bias gains so that the outputs keep their mean; zero if not centred."""
        if self.mean is None:
            return np.zeros(self.kernel.shape[-1])
        kept = self.directions[:, :rank]
        return np.asarray(self.mean - kept @ (kept.T @ self.mean))


def output_kernel(kernel: Array, scheme: Scheme) -> Array:
    """Return the filter whose outputs a decomposition approximates.

    It is the filter itself for `channel`, and for `spatial` its columns, (kh, 1, in, kw * out).
    """
    if scheme == "channel":
        return kernel
    height, width, taken, made = kernel.shape
    return kernel.transpose(0, 2, 1, 3).reshape(height, 1, taken, width * made)


def factors(
    kernel: Array, scheme: Scheme, moments: Moments | None = None, *, centred: bool = False
) -> Factors:
    """Decompose a filter; `spatial` wants one of (kh, kw, in, out).

    With `moments` the outputs' error is the least that a rank can have, else the weights' is, as
    if all inputs were independent and of one size. `centred` leaves the outputs' mean to the bias.
    """
    wide = output_kernel(kernel.astype(np.float64), scheme)
    matrix = wide.reshape(-1, wide.shape[-1])
    mean = None
    if moments is None:
        second = matrix.T @ matrix
    elif centred:
        mean = moments.mean
        second = moments.second - np.outer(mean, mean)
    else:
        second = moments.second
    squares, directions = np.linalg.eigh(second)
    most = min(matrix.shape)
    values = np.sqrt(np.maximum(squares[::-1][:most], 0))
    return Factors(scheme, kernel, directions[:, ::-1][:, :most], values, mean)


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
