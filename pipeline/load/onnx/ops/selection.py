"""Joining, cutting and picking along axes."""

from __future__ import annotations

import numpy as np
import tf_keras

from edgec.pipeline.load.onnx import tensor_layers, views
from edgec.pipeline.load.onnx.builder import BatchMixed, Builder
from edgec.pipeline.load.onnx.nodes import Array, Node
from edgec.pipeline.load.onnx.registry import Refusal, importer
from edgec.pipeline.load.onnx.views import Value

L = tf_keras.layers


def axis_of(node: Node, rank: int, default: int) -> int:
    """Read the attribute `axis`, counted from the front."""
    axis = node.integer("axis", default)
    if not -rank <= axis < rank:
        raise Refusal(f"axis is {axis} for an input of {rank} axes")
    return axis % rank


def _own_axis(builder: Builder, value: Value, axis: int) -> tuple[Value, list[int | None], int]:
    """Return `value` with each axis on its own, their order, and where ONNX axis `axis` is."""
    value, order = builder.separated(value)
    position = order.index(axis)
    if builder.open_batch and position == 0:
        raise BatchMixed
    return value, order, position


@importer("Concat")
def concat(builder: Builder, node: Node) -> None:
    """Import Concat."""
    values = [builder.value(node, index) for index in range(len(node.inputs))]
    axis = axis_of(node, values[0].rank, 0)
    if len(values) == 1:
        builder.bind(node, values[0])
        return
    rest = {(*v.shape[:axis], *v.shape[axis + 1 :]) for v in values if v.rank == values[0].rank}
    if len(rest) != 1 or any(value.rank != values[0].rank for value in values):
        raise Refusal(f"shapes {[list(value.shape) for value in values]} do not fit on axis {axis}")
    first = max(values, key=lambda value: value.tensor.shape.rank)
    _, order, position = _own_axis(builder, first, axis)
    tensors = [builder.arrange(value, order).tensor for value in values]
    if builder.open_batch:
        tensor = builder.layer(L.Concatenate, tensors, axis=position)
    else:
        tensor = builder.layer(tensor_layers.Join, tensors, position)
    nonnegative = all(value.nonnegative for value in values)
    builder.bind(node, builder.wrap(tensor, order, nonnegative=nonnegative))


@importer("Split")
def split(builder: Builder, node: Node) -> None:
    """Import Split."""
    value = builder.value(node)
    axis = axis_of(node, value.rank, 0)
    size, count = value.shape[axis], len(node.outputs)
    given = builder.optional_constant(node, 1)
    if given is not None:
        lengths = [int(length) for length in given.ravel()]
    else:
        parts = node.integer("num_outputs", count)
        if parts != count:
            raise Refusal(f"num_outputs is {parts} for {count} outputs")
        each = -(-size // parts)
        lengths = [each] * (parts - 1) + [size - each * (parts - 1)]
    if 0 in lengths:
        raise Refusal(f"lengths {lengths} make an axis without elements")
    if len(lengths) != count or min(lengths) < 1 or sum(lengths) != size:
        raise Refusal(f"lengths {lengths} for an axis of {size} and {count} outputs")
    if count == 1:
        builder.bind(node, value)
        return
    value, order, position = _own_axis(builder, value, axis)
    tensors = builder.layer(tensor_layers.Split, value.tensor, lengths, position)
    for index, tensor in enumerate(tensors):
        builder.bind(node, builder.wrap(tensor, order, origin=value.origin), index)


@importer("Slice")
def slice_(builder: Builder, node: Node) -> None:
    """Import Slice with constant bounds."""
    value = builder.value(node)
    starts, ends = builder.constant(node, 1).ravel(), builder.constant(node, 2).ravel()
    given_axes, given_steps = (builder.optional_constant(node, index) for index in (3, 4))
    axes = np.arange(len(starts)) if given_axes is None else given_axes.ravel()
    steps = np.ones(len(starts), np.int64) if given_steps is None else given_steps.ravel()
    if not len(starts) == len(ends) == len(axes) == len(steps) or not steps.all():
        raise Refusal("starts, ends, axes and steps do not fit one another")
    cuts: dict[int, slice] = {}
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        if not -value.rank <= axis < value.rank:
            raise Refusal(f"axis {axis} of an input of {value.rank} axes")
        cuts[int(axis) % value.rank] = slice(int(start), int(end), int(step))
    builder.bind(node, cut(builder, value, cuts))


def cut(builder: Builder, value: Value, cuts: dict[int, slice]) -> Value:
    """Slice ONNX axes; bounds count and clamp as in Python."""
    needed: dict[int, tuple[int | None, int | None, int]] = {}
    for axis, piece in cuts.items():
        size = value.shape[axis]
        picked = range(*piece.indices(size))
        if not picked:
            raise Refusal(f"{piece} of an axis of {size} is empty")
        if len(picked) < size or (picked.step < 0 and size > 1):
            stop = picked[-1] + (1 if picked.step > 0 else -1)
            needed[axis] = picked[0], None if stop in (-1, size) else stop, picked.step
    if not needed:
        return value
    nonnegative = value.nonnegative
    value, order = builder.separated(value)
    whole: tuple[int | None, int | None, int] = (None, None, 1)
    bounds = [whole if axis is None else needed.get(axis, whole) for axis in order]
    spatial = [index for index, bound in enumerate(bounds) if bound != whole]
    crops = {1, 2}.issuperset(spatial) and all(bound[2] == 1 for bound in bounds)
    if crops and len(order) == 4 and builder.open_batch:
        margins = []
        for position in (1, 2):
            begin, end, _ = bounds[position]
            size = int(value.tensor.shape[position])
            margins.append((begin or 0, 0 if end is None else size - end))
        tensor = builder.layer(L.Cropping2D, value.tensor, margins)
    else:
        columns = [list(column) for column in zip(*bounds, strict=True)]
        tensor = builder.layer(tensor_layers.Slice, value.tensor, *columns)
    return builder.wrap(tensor, order, nonnegative=nonnegative, origin=value.origin)


@importer("Gather")
def gather(builder: Builder, node: Node) -> None:
    """Import Gather with constant indices, or with computed ones from the rows of a constant."""
    if not builder.is_constant(node, 1):
        builder.bind(node, _embedding(builder, node))
        return
    value, indices = builder.value(node), builder.constant(node, 1)
    axis = axis_of(node, value.rank, 0)
    size = value.shape[axis]
    if not indices.size or indices.min() < -size or indices.max() >= size:
        raise Refusal(f"indices outside an axis of {size}")
    indices = indices % size
    picked = take(builder, value, axis, indices.ravel())
    groups = list(picked.logical)
    if indices.ndim == 1:
        builder.bind(node, picked)
    elif indices.ndim == 0:
        del groups[axis]
        builder.bind(node, views.with_axes(picked, groups))
    else:
        dims = (*picked.shape[:axis], *indices.shape, *picked.shape[axis + 1 :])
        result = views.reshaped(picked, dims)
        if result is None:
            raise Refusal(f"indices of shape {list(indices.shape)}")
        builder.bind(node, result)


def _embedding(builder: Builder, node: Node) -> Value:
    """Look rows of a constant up by computed indices."""
    if not builder.is_constant(node, 0):
        raise Refusal("computed indices into a computed value, wanted one of them constant")
    if not builder.is_whole(node.input(1)):
        raise Refusal("computed indices of float32, wanted a model input of integers")
    table, ids = builder.constant(node, 0), builder.value(node, 1)
    if table.ndim != 2 or axis_of(node, 2, 0) != 0 or table.dtype != np.float32:
        raise Refusal(
            f"computed indices into axis {node.integer('axis', 0)} of {table.dtype} of shape "
            f"{list(table.shape)}, wanted axis 0 of a float32 matrix"
        )
    ids, order = builder.separated(ids)
    tensor = builder.weighted(L.Embedding, ids.tensor, [table], *table.shape)
    return builder.wrap(tensor, [*order, ids.rank])


def take(builder: Builder, value: Value, axis: int, indices: Array) -> Value:
    """Pick elements of an ONNX axis by a vector of indices of at least 0."""
    size = value.shape[axis]
    if size == 1 and len(indices) == 1:
        return value
    step = int(indices[1] - indices[0]) if len(indices) > 1 else 1
    if step and (np.diff(indices) == step).all():
        first, last = int(indices[0]), int(indices[-1])
        end: int | None = last + (1 if step > 0 else -1)
        return cut(builder, value, {axis: slice(first, None if end == -1 else end, step)})
    nonnegative = value.nonnegative
    value, order, position = _own_axis(builder, value, axis)
    picked = [int(index) for index in indices]
    tensor = builder.layer(tensor_layers.Gather, value.tensor, picked, position)
    return builder.wrap(tensor, order, nonnegative=nonnegative, origin=value.origin)
