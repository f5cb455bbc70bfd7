"""Reductions along axes."""

from __future__ import annotations

from typing import Any

import tf_keras

from edgec.pipeline.load.onnx import keras_layers, views
from edgec.pipeline.load.onnx.builder import BatchMixed, Builder
from edgec.pipeline.load.onnx.nodes import Node
from edgec.pipeline.load.onnx.registry import Refusal, importer
from edgec.pipeline.load.onnx.spatial import channels_last
from edgec.pipeline.load.onnx.views import Factor, Value

L = tf_keras.layers


@importer("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceSumSquare")
def reduce(builder: Builder, node: Node) -> None:
    """Import a reduction over constant axes."""
    value = builder.value(node)
    axes = _axes(builder, node, value.rank)
    reduced = {factor for axis in axes for factor in value.logical[axis]}
    if any(factor.batch for factor in reduced):
        raise BatchMixed
    function = node.op.removeprefix("Reduce").lower()
    if node.op == "ReduceSumSquare":
        function = "sum"
        value = builder.like(value, builder.layer(L.Multiply, [value.tensor] * 2, suffix="square"))
    if value.origin and value.rank == 4 and axes == {2, 3}:
        # The input can have any layout, and this one makes the reduction a pool.
        value, _ = channels_last(builder, value)
    if reduced:
        value, positions = _positions(builder, value, reduced)
        tensor = _reduce(builder, function, value, positions)
        physical = tuple(
            () if index in positions else group for index, group in enumerate(value.physical)
        )
        logical = tuple(() if axis in axes else g for axis, g in enumerate(value.logical))
        value = Value(tensor, physical, logical, nonnegative=value.nonnegative)
    if not node.integer("keepdims", 1):
        kept = [group for axis, group in enumerate(value.logical) if axis not in axes]
        value = views.with_axes(value, kept)
    builder.bind(node, value)


def _axes(builder: Builder, node: Node, rank: int) -> set[int]:
    given = builder.optional_constant(node, 1)
    axes = [int(a) for a in given.ravel()] if given is not None else node.ints("axes", [])
    if not axes:
        return set() if node.integer("noop_with_empty_axes", 0) else set(range(rank))
    if any(not -rank <= axis < rank for axis in axes):
        raise Refusal(f"axes are {axes} for an input of {rank} axes")
    return {axis % rank for axis in axes}


def _positions(builder: Builder, value: Value, reduced: set[Factor]) -> tuple[Value, list[int]]:
    """Return the Keras axes to reduce, without moving anything where none is merged with others."""
    if any(0 < sum(f in reduced for f in group) < len(group) for group in value.physical):
        value, _ = builder.separated(value)
    positions = [
        index for index, group in enumerate(value.physical) if any(f in reduced for f in group)
    ]
    return value, positions


def _reduce(builder: Builder, function: str, value: Value, positions: list[int]) -> Any:
    pools = {"mean": L.GlobalAveragePooling2D, "max": L.GlobalMaxPooling2D}
    if positions == [1, 2] and len(value.physical) == 4 and function in pools:
        return builder.layer(pools[function], value.tensor, keepdims=True)
    return builder.layer(keras_layers.Reduce, value.tensor, function, positions)
