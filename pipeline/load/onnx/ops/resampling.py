"""Changes of resolution: Resize, DepthToSpace, SpaceToDepth."""

from __future__ import annotations

from typing import Any

import numpy as np
import tf_keras

from edgec.pipeline.load.onnx import tensor_layers, views
from edgec.pipeline.load.onnx.builder import Builder
from edgec.pipeline.load.onnx.folding import evaluate
from edgec.pipeline.load.onnx.nodes import Array, Node
from edgec.pipeline.load.onnx.ops.linear import dense
from edgec.pipeline.load.onnx.ops.selection import take
from edgec.pipeline.load.onnx.registry import Refusal, importer
from edgec.pipeline.load.onnx.spatial import channels_last
from edgec.pipeline.load.onnx.views import Value

L = tf_keras.layers
MAX_LENGTH = 1 << 16
MAX_MATRIX = 1 << 22


@importer("DepthToSpace")
def depth_to_space(builder: Builder, node: Node) -> None:
    """Import DepthToSpace; the mode CRD needs the channels in another order first."""
    value = builder.value(node)
    block = node.integer("blocksize", 1)
    channels = value.shape[1] if value.rank == 4 else 0
    if block < 1 or not channels or channels % (block * block):
        raise Refusal(f"blocksize is {block} for an input of shape {list(value.shape)}")
    if node.text("mode", "DCR") == "CRD":
        value = take(builder, value, 1, crd_order(channels, block))
    value, order = channels_last(builder, value)
    tensor = value.tensor
    if block > 1:
        tensor = builder.layer(tensor_layers.DepthToSpace, tensor, block)
    builder.bind(node, builder.wrap(tensor, order, nonnegative=value.nonnegative))


def crd_order(channels: int, block: int) -> Array:
    """Which channel of the CRD order stands at each place of the DCR order."""
    return np.arange(channels).reshape(-1, block * block).T.ravel()


@importer("SpaceToDepth")
def space_to_depth(builder: Builder, node: Node) -> None:
    """Import SpaceToDepth; the mode CRD needs the channels in another order after."""
    value, order = channels_last(builder, builder.value(node))
    block = node.integer("blocksize", 1)
    if block < 1 or value.tensor.shape[1] % block or value.tensor.shape[2] % block:
        raise Refusal(f"blocksize is {block} for an input of shape {list(value.shape)}")
    tensor = value.tensor
    if block > 1:
        tensor = builder.layer(tensor_layers.SpaceToDepth, tensor, block)
    result = builder.wrap(tensor, order, nonnegative=value.nonnegative)
    if node.text("mode", "DCR") == "CRD":
        result = take(builder, result, 1, np.argsort(crd_order(result.shape[1], block)))
    builder.bind(node, result)


@importer("Resize")
def resize(builder: Builder, node: Node) -> None:
    """Import Resize with constant scales or sizes."""
    value = builder.value(node)
    mode = node.text("mode", "nearest")
    if mode not in ("nearest", "linear", "cubic"):
        raise Refusal(f"mode is {mode!r}, wanted 'nearest', 'linear' or 'cubic'")
    if node.text("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize":
        raise Refusal("coordinate_transformation_mode is 'tf_crop_and_resize'")
    targets = _targets(builder, node, value)
    result: Value | None = None
    if mode == "nearest":
        result = _nearest(builder, node, value, targets)
    elif mode == "linear" and not node.integer("antialias", 0):
        result = _linear(builder, node, value, targets)
    builder.bind(node, result or _weighted(builder, node, value, targets))


Target = tuple[int, float]


def _targets(builder: Builder, node: Node, value: Value) -> dict[int, Target]:
    """Read the new length and the scale of every axis that is resized."""
    axes = [axis % value.rank for axis in node.ints("axes", list(range(value.rank)))]
    scales, sizes = builder.optional_constant(node, 2), builder.optional_constant(node, 3)
    given = scales if scales is not None and scales.size else sizes
    if given is None or given.size != len(axes):
        raise Refusal("neither scales nor sizes for the resized axes")
    targets: dict[int, Target] = {}
    for axis, number in zip(axes, given.ravel().tolist(), strict=True):
        length = value.shape[axis]
        scale = number if given is scales else number / length
        targets[axis] = int(np.floor(np.float32(length * scale) + 1e-6)), scale
    policy = node.text("keep_aspect_ratio_policy", "stretch")
    if policy != "stretch" and given is sizes:
        pick = min if policy == "not_larger" else max
        scale = pick(scale for _, scale in targets.values())
        targets = {a: (int(np.floor(value.shape[a] * scale + 0.5)), scale) for a in targets}
    if any(not 0 < length <= MAX_LENGTH for length, _ in targets.values()):
        raise Refusal(f"new lengths {[length for length, _ in targets.values()]}")
    return {a: t for a, t in targets.items() if t[0] != value.shape[a] or t[1] != 1.0}


def source_coordinates(mode: str, length: int, target: Target) -> Array:
    """Where in the input each output element lies, by the formulas of the Resize operator."""
    count, scale = target
    x = np.arange(count, dtype=np.float64)
    if mode == "asymmetric":
        return x / scale
    if mode == "align_corners":
        # The scaled length, of which `count` is the whole part.
        return x * ((length - 1) / (scale * length - 1)) if count > 1 else x * 0
    if mode == "pytorch_half_pixel" and count == 1:
        return x * 0
    if mode in ("half_pixel", "pytorch_half_pixel"):
        return (x + 0.5) / scale - 0.5
    if mode == "tf_half_pixel_for_nn":
        return (x + 0.5) / scale
    if mode == "half_pixel_symmetric":
        adjustment = count / (scale * length)
        return length / 2 * (1 - adjustment) + (x + 0.5) / scale - 0.5
    raise Refusal(f"coordinate_transformation_mode is {mode!r}")


def _coordinates(node: Node, length: int, target: Target) -> Array:
    mode = node.text("coordinate_transformation_mode", "half_pixel")
    return source_coordinates(mode, length, target)


def _nearest(builder: Builder, node: Node, value: Value, targets: dict[int, Target]) -> Value:
    roundings: dict[str, Any] = {
        "round_prefer_floor": lambda x: np.ceil(x - 0.5),
        "round_prefer_ceil": lambda x: np.floor(x + 0.5),
        "floor": np.floor,
        "ceil": np.ceil,
    }
    name = node.text("nearest_mode", "round_prefer_floor")
    rounding = roundings.get(name)
    if rounding is None:
        raise Refusal(f"nearest_mode is {name!r}, wanted one of {', '.join(roundings)}")
    indices = {}
    for axis, target in targets.items():
        length = value.shape[axis]
        # Rounding first keeps quotients such as 2.9999999 from falling to the wrong side.
        exact = np.round(_coordinates(node, length, target), 6)
        indices[axis] = np.clip(rounding(exact), 0, length - 1).astype(int)
    if value.rank in (3, 4) and min(targets, default=0) > 1:
        resized = _spatial_nearest(builder, value, indices)
        if resized is not None:
            return resized
    for axis, picked in indices.items():
        value = take(builder, value, axis, picked)
    return value


def _spatial_nearest(builder: Builder, value: Value, indices: dict[int, Array]) -> Value | None:
    """Resize by a layer that picks just these indices, or return None."""
    value, order = channels_last(builder, value)
    sizes = [int(value.tensor.shape[1]), int(value.tensor.shape[2])]
    wanted = [
        np.arange(size) if axis is None else indices.get(axis, np.arange(size))
        for axis, size in zip(order[1:3], sizes, strict=True)
    ]
    counts = [len(picked) for picked in wanted]
    factors = [count // size for count, size in zip(counts, sizes, strict=True)]
    repeated = [np.repeat(np.arange(s), f) for s, f in zip(sizes, factors, strict=True)]
    tensor: Any = None
    if all(np.array_equal(a, b) for a, b in zip(wanted, repeated, strict=True)):
        tensor = builder.layer(L.UpSampling2D, value.tensor, factors, interpolation="nearest")
    for half in (False, True):
        picked = [
            np.floor((np.arange(c) + 0.5 * half) * s / c)
            for c, s in zip(counts, sizes, strict=True)
        ]
        same = all(np.array_equal(a, b) for a, b in zip(wanted, picked, strict=True))
        if tensor is None and same:
            tensor = builder.layer(
                tensor_layers.Resize, value.tensor, counts, "nearest", False, half
            )
    if tensor is None:
        return None
    return builder.wrap(tensor, order, nonnegative=value.nonnegative)


def _linear(builder: Builder, node: Node, value: Value, targets: dict[int, Target]) -> Value | None:
    """Resize space by a layer if it has just these coordinates, else return None."""
    if min(targets, default=2) < 2 or value.rank not in (3, 4):
        return None
    value, order = channels_last(builder, value)
    sizes = [int(value.tensor.shape[1]), int(value.tensor.shape[2])]
    counts = list(sizes)
    wanted: list[Array | None] = [None, None]
    for place, axis in enumerate(order[1:3]):
        if axis in targets:
            counts[place] = targets[axis][0]
            limit = sizes[place] - 1
            wanted[place] = np.clip(_coordinates(node, sizes[place], targets[axis]), 0, limit)
    for mode in ("half_pixel", "align_corners", "asymmetric"):
        if all(
            found is None
            or np.allclose(
                found,
                np.clip(source_coordinates(mode, size, (count, count / size)), 0, size - 1),
                atol=1e-4,
            )
            for found, size, count in zip(wanted, sizes, counts, strict=True)
        ):
            tensor = _bilinear(builder, value.tensor, sizes, counts, mode)
            return builder.wrap(tensor, order, nonnegative=value.nonnegative)
    return None


def _weighted(builder: Builder, node: Node, value: Value, targets: dict[int, Target]) -> Value:
    """Resize each axis by the matrix of its interpolation weights."""
    for axis, (count, scale) in targets.items():
        length = value.shape[axis]
        last = [*(other for other in range(value.rank) if other != axis), axis]
        kernel = interpolation_matrix(builder, node, length, count, scale)
        value = dense(builder, views.permuted(value, last), kernel, None)
        value = views.permuted(value, [int(place) for place in np.argsort(last)])
    return value


def interpolation_matrix(
    builder: Builder, node: Node, length: int, count: int, scale: float
) -> Array:
    """The weights of `length` input elements for `count` output elements, (length, count)."""
    if length * count > MAX_MATRIX:
        raise Refusal(f"interpolation from {length} to {count} elements")
    kept = {key: item for key, item in node.attributes.items() if key not in ("axes",)}
    kept.pop("keep_aspect_ratio_policy", None)
    one = Node(node.name, "Resize", ("x", "roi", "scales"), ("y",), kept)
    inputs = [np.eye(length, dtype=np.float32), None, np.array([1, scale], np.float32)]
    (matrix,) = evaluate(one, builder.opset, inputs)
    if matrix.shape != (length, count):
        raise Refusal(f"interpolation from {length} to {matrix.shape[-1]}, wanted {count} elements")
    return matrix.astype(np.float32)


def _bilinear(builder: Builder, tensor: Any, sizes: list[int], counts: list[int], mode: str) -> Any:
    whole = all(count % size == 0 for count, size in zip(counts, sizes, strict=True))
    if mode == "half_pixel" and whole:
        factors = [count // size for count, size in zip(counts, sizes, strict=True)]
        return builder.layer(L.UpSampling2D, tensor, factors, interpolation="bilinear")
    align, half = mode == "align_corners", mode == "half_pixel"
    return builder.layer(tensor_layers.Resize, tensor, counts, "bilinear", align, half)
