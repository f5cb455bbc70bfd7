"""Operators that change the shape only; most cost nothing, see `views`."""

from __future__ import annotations

import math

import numpy as np

from edgec.pipeline.load.onnx import tensor_layers, views
from edgec.pipeline.load.onnx.builder import Builder
from edgec.pipeline.load.onnx.nodes import Node
from edgec.pipeline.load.onnx.registry import Refusal, importer
from edgec.pipeline.load.onnx.views import Value

_CAST_TYPES = {1: "float32", 6: "int32", 7: "int64"}


@importer("Shape")
def shape(builder: Builder, node: Node) -> None:
    """Import Shape as a constant: all shapes are fixed, the open batch being 1."""
    dims = builder.value(node).shape
    start, end = node.integer("start", 0), node.integer("end", len(dims))
    builder.constants[node.output(0)] = np.array(dims[start:end], np.int64)


@importer("Size")
def size(builder: Builder, node: Node) -> None:
    """Import Size as a constant."""
    builder.constants[node.output(0)] = np.array(math.prod(builder.value(node).shape), np.int64)


@importer("Identity", "Dropout")
def identity(builder: Builder, node: Node) -> None:
    """Import operators that do nothing in inference."""
    training = builder.optional_constant(node, 2) if node.op == "Dropout" else None
    if builder.wanted(node, 1) or (training is not None and training.any()):
        raise Refusal("training mode or a used mask, wanted inference")
    builder.bind(node, builder.value(node))


@importer("Cast", "CastLike")
def cast(builder: Builder, node: Node) -> None:
    """Import a cast of a float32 value to itself, or of an integer one to an integer or float32.

    Other casts exist on constants only.
    """
    value = builder.value(node)
    if node.op == "CastLike":
        target = builder.optional_constant(node, 1) if builder.is_constant(node, 1) else None
        wanted = "float32" if target is None else str(target.dtype)
    else:
        code = node.integer("to", 1)
        wanted = _CAST_TYPES.get(code, f"type {code}")
    if not builder.is_whole(node.input(0)):
        if wanted != "float32":
            raise Refusal(f"a cast of a computed value to {wanted}, wanted float32")
        builder.bind(node, value)
    elif wanted == "float32":
        tensor = builder.layer(tensor_layers.AsFloat, value.tensor)
        builder.bind(node, builder.like(value, tensor))
    elif wanted in ("int32", "int64"):
        builder.bind(node, value)
    else:
        raise Refusal(f"a cast of integers to {wanted}, wanted float32, int32 or int64")


@importer("Transpose")
def transpose(builder: Builder, node: Node) -> None:
    """Import Transpose."""
    value = builder.value(node)
    order = node.ints("perm", list(reversed(range(value.rank))))
    if sorted(order) != list(range(value.rank)):
        raise Refusal(f"perm is {order} for an input of {value.rank} axes")
    builder.bind(node, views.permuted(value, order))


@importer("Flatten")
def flatten(builder: Builder, node: Node) -> None:
    """Import Flatten."""
    value = builder.value(node)
    axis = node.integer("axis", 1)
    axis += value.rank if axis < 0 else 0
    dims = value.shape
    builder.bind(
        node, reshape_value(builder, value, (math.prod(dims[:axis]), math.prod(dims[axis:])))
    )


@importer("Reshape")
def reshape(builder: Builder, node: Node) -> None:
    """Import Reshape to a constant shape."""
    value = builder.value(node)
    wanted = [int(size) for size in builder.constant(node, 1).ravel()]
    if not node.integer("allowzero", 0):
        if any(size == 0 and axis >= value.rank for axis, size in enumerate(wanted)):
            raise Refusal(f"shape {wanted} copies an axis the input does not have")
        wanted = [value.shape[axis] if size == 0 else size for axis, size in enumerate(wanted)]
    elements = math.prod(value.shape)
    free = wanted.index(-1) if wanted.count(-1) == 1 else None
    if free is not None:
        rest = math.prod(size for size in wanted if size != -1)
        if rest and elements % rest == 0:
            wanted[free] = elements // rest
    if min(wanted, default=1) < 1 or math.prod(wanted) != elements:
        raise Refusal(f"shape {wanted} for an input of shape {list(value.shape)}")
    builder.bind(node, reshape_value(builder, value, tuple(wanted), free))


def reshape_value(
    builder: Builder, value: Value, dims: tuple[int, ...], free: int | None = None
) -> Value:
    """Reshape in the ONNX order of elements, moving data only where axes do not divide.

    `free` is the axis that the file gives as -1, if any.
    """
    result = views.reshaped(value, dims, free)
    if result is not None:
        return result
    return builder.reshaped_in_order(value, dims)


@importer("Squeeze")
def squeeze(builder: Builder, node: Node) -> None:
    """Import Squeeze."""
    value = builder.value(node)
    axes = _axes(builder, node)
    if axes is None:
        dropped = {axis for axis, size in enumerate(value.shape) if size == 1}
    else:
        dropped = _normalised(axes, value.rank)
    if any(value.shape[axis] != 1 for axis in dropped):
        raise Refusal(f"axes {sorted(dropped)} of shape {list(value.shape)} are not all 1")
    kept = [group for axis, group in enumerate(value.logical) if axis not in dropped]
    builder.bind(node, views.with_axes(value, kept))


@importer("Unsqueeze")
def unsqueeze(builder: Builder, node: Node) -> None:
    """Import Unsqueeze."""
    value = builder.value(node)
    axes = _axes(builder, node)
    if axes is None:
        raise Refusal("axes are missing")
    added = _normalised(axes, value.rank + len(axes))
    groups = iter(value.logical)
    rank = value.rank + len(added)
    logical = [() if axis in added else next(groups) for axis in range(rank)]
    builder.bind(node, views.with_axes(value, logical))


def _axes(builder: Builder, node: Node) -> list[int] | None:
    given = builder.optional_constant(node, 1)
    return None if given is None else [int(axis) for axis in given.ravel()]


def _normalised(axes: list[int], rank: int) -> set[int]:
    if any(not -rank <= axis < rank for axis in axes) or len({a % rank for a in axes}) < len(axes):
        raise Refusal(f"axes {axes} for {rank} axes")
    return {axis % rank for axis in axes}
