"""Which channels of a model's tensors stand or fall together: a union-find over channels.

Every position along the channel axis of a tensor belongs to a *unit*. Units that an addition, a
depthwise convolution or the like ties together are joined; a unit is removed everywhere or nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgec.pipeline.graph import Array

FIXED = 0
"""The unit of everything that must stay: inputs, outputs, and what some layer mixes."""


@dataclass(frozen=True, slots=True)
class Channels:
    """The units of one tensor: `units[i]` is that of index `i` along `axis` (batch included)."""

    axis: int
    units: Array

    def spread(self, shape: tuple[int, ...]) -> Array:
        """Return the unit of every element of a tensor of `shape`."""
        view = [1] * len(shape)
        view[self.axis] = len(self.units)
        return np.broadcast_to(self.units.reshape(view), shape)


class Units:
    """The union-find: makes units, joins them, and says which are one."""

    def __init__(self) -> None:
        self._parent: list[int] = [FIXED]

    def __len__(self) -> int:
        return len(self._parent)

    def make(self, count: int) -> Array:
        """Return `count` new units."""
        first = len(self._parent)
        self._parent.extend(range(first, first + count))
        return np.arange(first, first + count)

    def root(self, unit: int) -> int:
        """Return the lowest unit that `unit` is one with."""
        parent = self._parent
        while parent[unit] != unit:
            parent[unit] = parent[parent[unit]]
            unit = parent[unit]
        return unit

    def join(self, first: Array, second: Array) -> None:
        """Join two arrays of units entry by entry."""
        pairs = np.unique(np.stack([np.ravel(first), np.ravel(second)]), axis=1)
        for a, b in pairs.T.tolist():
            a, b = self.root(a), self.root(b)
            self._parent[max(a, b)] = min(a, b)

    def fix(self, units: Array) -> None:
        """Keep these units for good."""
        self.join(units, np.zeros_like(units))

    def roots(self) -> Array:
        """Return the root of every unit; the fixed ones' is FIXED."""
        return np.array([self.root(unit) for unit in range(len(self._parent))])


def moved_channels(labels: Array) -> Channels | None:
    """Return the channels of a tensor whose elements' units are `labels`, the batch included.

    None where no single axis tells the units apart: then none of them can be removed.
    """
    for axis in reversed(range(labels.ndim)):
        first = labels[tuple(slice(None) if a == axis else slice(0, 1) for a in range(labels.ndim))]
        if np.array_equal(np.broadcast_to(first, labels.shape), labels):
            return Channels(axis, first.reshape(-1).astype(np.int64))
    return None
