"""Layers that move the elements of a tensor: pick, join, pad, resize, reshape.

As in `keras_layers`, each is a plain serialisable layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from edgec.pipeline.load.onnx.keras_layers import PlainLayer, serialisable


@serialisable
class Slice(PlainLayer):
    """A strided slice; `begin`, `end` and `step` have an entry for each axis, None as in Python."""

    def __init__(
        self,
        begin: Sequence[int | None],
        end: Sequence[int | None],
        step: Sequence[int],
        **kwargs: Any,
    ) -> None:
        super().__init__({"begin": list(begin), "end": list(end), "step": list(step)}, **kwargs)
        self._slices = tuple(slice(*item) for item in zip(begin, end, step, strict=True))

    def call(self, x: Any) -> Any:
        """Compute the layer."""
        return x[self._slices]


@serialisable
class Split(PlainLayer):
    """Pieces of the given lengths along an axis, as a list."""

    def __init__(self, lengths: Sequence[int], axis: int, **kwargs: Any) -> None:
        super().__init__({"lengths": list(lengths), "axis": axis}, **kwargs)
        self._lengths, self._axis = list(lengths), axis

    def call(self, x: Any) -> Any:
        """Compute the layer."""
        return tf.split(x, self._lengths, axis=self._axis)


@serialisable
class Join(PlainLayer):
    """Tensors one after the other along an axis, which may be the batch axis."""

    def __init__(self, axis: int, **kwargs: Any) -> None:
        super().__init__({"axis": axis}, **kwargs)
        self._axis = axis

    def call(self, inputs: Sequence[Any]) -> Any:
        """Compute the layer."""
        return tf.concat(inputs, self._axis)


@serialisable
class Gather(PlainLayer):
    """The elements at fixed indices along an axis."""

    def __init__(self, indices: Sequence[int], axis: int, **kwargs: Any) -> None:
        super().__init__({"indices": list(indices), "axis": axis}, **kwargs)
        self._indices, self._axis = list(indices), axis

    def call(self, x: Any) -> Any:
        """Compute the layer."""
        return tf.gather(x, self._indices, axis=self._axis)


@serialisable
class AsFloat(PlainLayer):
    """Integers as float32."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({}, **kwargs)

    def call(self, x: Any) -> Any:
        """Compute the layer."""
        return tf.cast(x, tf.float32)


@serialisable
class Pad(PlainLayer):
    """Padding of every axis by (before, after), in a mode of `tf.pad`."""

    def __init__(
        self, paddings: Sequence[Sequence[int]], mode: str, value: float, **kwargs: Any
    ) -> None:
        settings = {"paddings": [list(p) for p in paddings], "mode": mode, "value": value}
        super().__init__(settings, **kwargs)
        self._paddings = [list(p) for p in paddings]
        self._mode, self._value = mode, value

    def call(self, x: Any) -> Any:
        """Compute the layer."""
        return tf.pad(x, self._paddings, mode=self._mode, constant_values=self._value)


@serialisable
class Resize(PlainLayer):
    """Resizing of the two middle axes, by nearest neighbour or bilinear interpolation."""

    def __init__(
        self,
        size: Sequence[int],
        method: str,
        align_corners: bool,
        half_pixel_centers: bool,
        **kwargs: Any,
    ) -> None:
        settings = {
            "size": list(size),
            "method": method,
            "align_corners": align_corners,
            "half_pixel_centers": half_pixel_centers,
        }
        super().__init__(settings, **kwargs)
        self._size = list(size)
        self._align_corners, self._half_pixel_centers = align_corners, half_pixel_centers
        self._function = {
            "nearest": tf.raw_ops.ResizeNearestNeighbor,
            "bilinear": tf.raw_ops.ResizeBilinear,
        }[method]

    def call(self, x: Any) -> Any:
        """Compute the layer."""
        return self._function(
            images=x,
            size=self._size,
            align_corners=self._align_corners,
            half_pixel_centers=self._half_pixel_centers,
        )


@serialisable
class DepthToSpace(PlainLayer):
    """Move blocks of channels into space, channels last."""

    def __init__(self, block: int, **kwargs: Any) -> None:
        super().__init__({"block": block}, **kwargs)
        self._block = block

    def call(self, x: Any) -> Any:
        """Compute the layer."""
        return tf.nn.depth_to_space(x, self._block)


@serialisable
class SpaceToDepth(PlainLayer):
    """Move blocks of space into channels, channels last."""

    def __init__(self, block: int, **kwargs: Any) -> None:
        super().__init__({"block": block}, **kwargs)
        self._block = block

    def call(self, x: Any) -> Any:
        """Compute the layer."""
        return tf.nn.space_to_depth(x, self._block)


@serialisable
class ReshapeAll(PlainLayer):
    """A reshape that includes the batch axis, for models of fixed batch."""

    def __init__(self, shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__({"shape": list(shape)}, **kwargs)
        self._shape = list(shape)

    def call(self, x: Any) -> Any:
        """Compute the layer."""
        return tf.reshape(x, self._shape)


@serialisable
class PermuteAll(PlainLayer):
    """A transpose that includes the batch axis, for models of fixed batch."""

    def __init__(self, order: Sequence[int], **kwargs: Any) -> None:
        super().__init__({"order": list(order)}, **kwargs)
        self._order = list(order)

    def call(self, x: Any) -> Any:
        """Compute the layer."""
        return tf.transpose(x, self._order)
