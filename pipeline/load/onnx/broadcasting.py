"""Brings operands of an element-wise operator into one layout."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from edgec.pipeline.load.onnx import views
from edgec.pipeline.load.onnx.builder import BatchMixed, Builder
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


def combine(builder: Builder, layer: Any, left: Value, right: Value, function: str) -> Value:
    """Apply a two-operand layer, or `Binary` where Keras' merge layers do not broadcast.

    `layer` is None where Keras has no merge layer of this function.
    """
    from edgec.pipeline.load.onnx.keras_layers import Binary

    (first, second), pattern = align(builder, [left, right])
    shapes = first.shape, second.shape
    fits = len(shapes[0]) > 1 and shapes[0][0] == shapes[1][0]
    if layer is not None and fits:
        tensor = builder.layer(layer, [first, second])
    else:
        tensor = builder.layer(Binary, [first, second], function)
    return pattern(tensor)


def align(builder: Builder, values: Sequence[Value]) -> tuple[list[Any], Any]:
    """Return tensors that broadcast in Keras, and a function that makes a value of the result."""
    shape = broadcast_shape(*(value.shape for value in values))
    values = [padded(value, len(shape)) for value in values]
    axes = {views.batch_axis(value.logical) for value in values} - {None}
    if len(axes) > 1 or any(shape[axis] > 1 for axis in axes if axis is not None):
        raise BatchMixed
    leader = next((value for value in values if value.shape == shape), None)
    if leader is not None:
        found = _follow(builder, leader, values)
        if found is not None:
            tensors, model = found
            return tensors, lambda tensor: replace(model, tensor=tensor, nonnegative=False)
    _, order = builder.separated(max(values, key=lambda value: math.prod(value.shape)))
    if order and order[0] is None and axes:
        raise BatchMixed
    tensors = [builder.arrange(value, order).tensor for value in values]
    return tensors, lambda tensor: builder.wrap(tensor, order)


def _follow(
    builder: Builder, leader: Value, values: Sequence[Value]
) -> tuple[list[Any], Value] | None:
    """Bring the others into the leader's present layout, if their axes can be split alike."""
    refined: list[Value] = []
    for value in values:
        if value is leader:
            continue
        pair = _split_alike(leader, value)
        if pair is None:
            return None
        leader, other = pair
        refined.append(other)
    tensors = []
    others = iter(refined)
    original = [value for value in values]
    for value in original:
        if value.shape == leader.shape and value.tensor is leader.tensor:
            tensors.append(leader.tensor)
            if value not in values[:1]:
                next(others, None)
            continue
        other = next(others)
        target = _counterpart(leader, other)
        if target is None:
            return None
        tensors.append(builder.move(other, target).tensor)
    return tensors, leader


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
