"""Brings operands of an element-wise operator into one layout."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from edgec.pipeline.load.onnx import views
from edgec.pipeline.load.onnx.builder import BatchMixed, Builder
from edgec.pipeline.load.onnx.keras_layers import Binary
from edgec.pipeline.load.onnx.nodes import Array
from edgec.pipeline.load.onnx.registry import Refusal
from edgec.pipeline.load.onnx.views import Factor, Group, Groups, Value


def broadcast_shape(*shapes: Sequence[int]) -> tuple[int, ...]:
    """The shape that `shapes` broadcast to; raise Refusal if they do not."""
    try:
        return tuple(int(d) for d in np.broadcast_shapes(*(tuple(shape) for shape in shapes)))
    except ValueError as error:
        listed = " and ".join(str(list(shape)) for shape in shapes)
        raise Refusal(f"shapes {listed} do not broadcast") from error


def padded(value: Value, rank: int) -> Value:
    """Add leading axes of length 1."""
    return views.with_axes(value, ((),) * (rank - value.rank) + value.logical)


def combine(builder: Builder, layer: Any, function: str, left: Value, right: Value) -> Value:
    """Apply a binary function to two values with ONNX broadcasting.

    `layer` is Keras' merge layer of that function, or None where there is none.
    """
    tensors, result = align(builder, left, right)
    shapes = [tensor.shape for tensor in tensors]
    # Merge layers refuse scalars and operands of different batch size.
    if layer is not None and len(shapes[0]) > 1 and shapes[0][0] == shapes[1][0]:
        return result(builder.layer(layer, tensors))
    return result(builder.layer(Binary, tensors, function))


def align(builder: Builder, left: Value, right: Value) -> tuple[list[Any], Callable[[Any], Value]]:
    """Return tensors that broadcast in Keras, and what makes a value of a tensor of the result."""
    shape = broadcast_shape(left.shape, right.shape)
    pair = [padded(left, len(shape)), padded(right, len(shape))]
    axes = {views.batch_axis(value.logical) for value in pair} - {None}
    if len(axes) > 1 or any(shape[axis] > 1 for axis in axes if axis is not None):
        raise BatchMixed
    for axis in axes:
        pair = [builder.bound(value, axis) for value in pair]
    for index in (0, 1):
        found = _follow(builder, pair[index], pair[1 - index], shape)
        if found is not None:
            leader, other = found
            tensors = [leader.tensor, other] if index == 0 else [other, leader.tensor]
            return tensors, partial(builder.like, leader)
    _, order = builder.separated(max(pair, key=lambda value: math.prod(value.shape)))
    tensors = [builder.arrange(value, order).tensor for value in pair]
    return tensors, lambda tensor: builder.wrap(tensor, order)


def _follow(
    builder: Builder, leader: Value, other: Value, shape: tuple[int, ...]
) -> tuple[Value, Any] | None:
    """Bring `other` into the present layout of a leader that already has the result's shape.

    Return None if it has not, or if the axes of the two cannot be split alike.
    """
    if leader.shape != shape:
        return None
    split = _split_alike(leader, other)
    if split is None:
        return None
    target = _counterpart(*split)
    if target is None:
        return None
    return split[0], builder.move(split[1], target).tensor


def _split_alike(leader: Value, other: Value) -> tuple[Value, Value] | None:
    parts_leader: dict[Factor, Group] = {}
    parts_other: dict[Factor, Group] = {}
    for mine, its in zip(leader.logical, other.logical, strict=True):
        if not its or not mine or any(f.batch for f in (*mine, *its)):
            continue
        found = views.common_split(mine, its)
        if found is None:
            return None
        parts_leader.update(zip(mine, found[0], strict=True))
        parts_other.update(zip(its, found[1], strict=True))
    return views.split(leader, parts_leader), views.split(other, parts_other)


def _counterpart(leader: Value, other: Value) -> Groups | None:
    """The leader's physical layout in terms of the other's factors, which it may lack."""
    its: dict[Factor, Factor] = {}
    for mine, theirs in zip(leader.logical, other.logical, strict=True):
        if theirs:
            its.update(zip(mine, theirs, strict=True))
    batch = next((f for f in views.flat(leader.physical) if f.batch), None)
    if batch is not None:
        its[batch] = batch
    target: list[Group] = []
    for group in leader.physical:
        present = [factor for factor in group if factor in its]
        if present and len(present) < len(group):
            return None
        target.append(tuple(its[factor] for factor in present))
    return tuple(target)


def constant_layout(array: Array, rank: int, order: Sequence[int | None]) -> Array:
    """Permute a constant that broadcasts against `rank` ONNX axes to the Keras order."""
    full = array.reshape((1,) * (rank - array.ndim) + array.shape)
    kept = [axis for axis in order if axis is not None]
    moved = full.transpose(kept)
    if order and order[0] is None:
        moved = moved[np.newaxis]
    return moved
