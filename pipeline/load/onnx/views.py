"""Views: how the tensor of a Keras model holds a tensor of the ONNX graph.

ONNX convolutions are channels-first, Keras ones channels-last, and exporters add Transpose, Reshape
and Squeeze of their own. Instead of a layer for each, a `Value` remembers which *factor* of which
ONNX axis lies where in the Keras tensor. Permuting, splitting, merging, adding and dropping axes
only changes that record; a layer is emitted when an operator needs another order, so pairs of
opposite moves cost nothing. An axis of length 1 has no factor at all.

The batch axis of an *open* model (Keras batch size None) is a factor of its own, always the first
axis of the Keras tensor.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any


@dataclass(frozen=True, eq=False, slots=True)
class Factor:
    """A piece of an axis, compared by identity; `size` is above 1 but for the open batch axis."""

    size: int
    batch: bool = False


Group = tuple[Factor, ...]
Groups = tuple[Group, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Value:
    """A tensor of the ONNX graph and the Keras tensor that holds it.

    `physical` has one group of factors for each Keras axis, `logical` one for each ONNX axis.
    `origin` names the model input whose axes the Keras tensor still has, one for one, if any.
    """

    tensor: Any
    physical: Groups
    logical: Groups
    origin: str = ""
    nonnegative: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The ONNX shape; an open batch axis counts as 1."""
        return tuple(size_of(group) for group in self.logical)

    @property
    def rank(self) -> int:
        """The number of ONNX axes."""
        return len(self.logical)


def size_of(group: Group) -> int:
    """The length of an axis made of `group`."""
    return math.prod(factor.size for factor in group)


def flat(groups: Iterable[Group]) -> list[Factor]:
    """All factors, outermost first."""
    return [factor for group in groups for factor in group]


def batch_axis(groups: Groups) -> int | None:
    """The index of the group that holds the open batch factor."""
    for index, group in enumerate(groups):
        if any(factor.batch for factor in group):
            return index
    return None


def split(value: Value, parts: Mapping[Factor, Group]) -> Value:
    """Replace factors by the products of smaller ones, in both orders."""
    if not parts:
        return value

    def expand(groups: Groups) -> Groups:
        return tuple(
            tuple(piece for factor in group for piece in parts.get(factor, (factor,)))
            for group in groups
        )

    return replace(value, physical=expand(value.physical), logical=expand(value.logical))


def permuted(value: Value, order: Sequence[int]) -> Value:
    """Permute the ONNX axes as Transpose does."""
    return replace(value, logical=tuple(value.logical[axis] for axis in order))


def with_axes(value: Value, logical: Iterable[Group]) -> Value:
    """Give the same factors other ONNX axes."""
    return replace(value, logical=tuple(logical))


def reshaped(value: Value, shape: Sequence[int], free: int | None = None) -> Value | None:
    """Reshape without moving data, or return None where the axis boundaries do not divide.

    `free` is the axis whose length the file leaves open, which is the batch if that is possible.
    """
    batch = next((f for f in flat(value.logical) if f.batch), None)
    queue = [factor for factor in flat(value.logical) if not factor.batch]
    parts: dict[Factor, Group] = {}
    logical: list[Group] = []
    for length in shape:
        group: list[Factor] = []
        while length > 1:
            if not queue:
                return None
            head = queue.pop(0)
            if head.size > length:
                if head.size % length:
                    return None
                outer, inner = Factor(length), Factor(head.size // length)
                _record(parts, head, (outer, inner))
                queue.insert(0, inner)
                head = outer
            elif length % head.size:
                return None
            group.append(head)
            length //= head.size
        logical.append(tuple(group))
    if batch is not None:
        axis = _batch_place(value, shape, free)
        if axis is not None:
            logical[axis] = (batch,)
    return with_axes(split(value, parts), logical)


def _record(parts: dict[Factor, Group], head: Factor, pieces: Group) -> None:
    for origin, group in parts.items():
        if head in group:
            index = group.index(head)
            parts[origin] = group[:index] + pieces + group[index + 1 :]
            return
    parts[head] = pieces


def _batch_place(value: Value, shape: Sequence[int], free: int | None) -> int | None:
    """Find the axis of length 1 in `shape` that stands where the batch axis stood."""
    old = batch_axis(value.logical)
    assert old is not None
    before = math.prod(value.shape[:old])
    places = [
        axis
        for axis, length in enumerate(shape)
        if length == 1 and math.prod(shape[:axis]) == before
    ]
    wanted = next((axis for axis in (free, old) if axis in places), None)
    return wanted if wanted is not None or not places else places[0]


def common_split(left: Group, right: Group) -> tuple[list[Group], list[Group]] | None:
    """Split two axes of one length into pieces of the same sizes.

    Return for each side the pieces of each of its factors, or None where boundaries do not divide.
    """
    bounds = sorted({*_bounds(left), *_bounds(right)})
    for small, large in pairwise(bounds):
        if large % small:
            return None
    return _cut(left, bounds), _cut(right, bounds)


def _bounds(group: Group) -> list[int]:
    """The products of the last 0, 1, 2 … factors."""
    products = [1]
    for factor in reversed(group):
        products.append(products[-1] * factor.size)
    return products


def _cut(group: Group, bounds: Sequence[int]) -> list[Group]:
    pieces: list[Group] = []
    inner = size_of(group)
    for factor in group:
        outer, inner = inner, inner // factor.size
        stops = [bound for bound in bounds if inner <= bound <= outer]
        sizes = [large // small for small, large in pairwise(stops)]
        pieces.append(
            (factor,) if len(sizes) == 1 else tuple(Factor(size) for size in reversed(sizes))
        )
    return pieces


def runs(source: Sequence[Factor], target: Sequence[Factor]) -> list[Group]:
    """Group `source` into the longest runs that stay together in `target`, in source order."""
    follows = dict(pairwise(target))
    groups: list[list[Factor]] = []
    for factor in source:
        if groups and not groups[-1][-1].batch and follows.get(groups[-1][-1]) is factor:
            groups[-1].append(factor)
        else:
            groups.append([factor])
    return [tuple(group) for group in groups]
