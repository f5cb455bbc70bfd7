"""Windows over space: kernel, strides, dilations and padding of convolutions and pools.

One-dimensional operators become two-dimensional ones of height 1, because quantisation-aware
training refuses one-dimensional layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tf_keras

from edgec.pipeline.load.onnx.builder import Builder
from edgec.pipeline.load.onnx.nodes import Node
from edgec.pipeline.load.onnx.registry import Refusal
from edgec.pipeline.load.onnx.views import Value

Pair = tuple[int, int]
MAX_WINDOW = 1 << 16


@dataclass(frozen=True, slots=True)
class Window:
    """A sliding window, height first; pads are (before, after) of each axis."""

    kernel: Pair
    strides: Pair
    dilations: Pair
    pads: tuple[Pair, Pair]

    def extent(self, axis: int) -> int:
        """How many input elements the window spans."""
        return (self.kernel[axis] - 1) * self.dilations[axis] + 1

    def same_pads(self, axis: int, size: int) -> Pair:
        """What Keras' padding "same" adds to an input of `size` elements."""
        total = same_total(size, self.strides[axis], self.extent(axis))
        return total // 2, total - total // 2

    def is_same(self, sizes: Pair) -> bool:
        """Whether the pads are those of Keras' padding "same"."""
        return self.pads == (self.same_pads(0, sizes[0]), self.same_pads(1, sizes[1]))

    @property
    def unpadded(self) -> bool:
        """Whether there is no padding at all."""
        return self.pads == ((0, 0), (0, 0))


def same_total(size: int, stride: int, extent: int) -> int:
    """The padding that makes an output of ceil(size / stride) elements."""
    return max((-(-size // stride) - 1) * stride + extent - size, 0)


def channels_last(builder: Builder, value: Value) -> tuple[Value, list[int | None]]:
    """Bring (batch, channels, [height,] width) into Keras' order of four axes."""
    order: list[int | None]
    if value.rank == 4:
        order = [0, 2, 3, 1]
    elif value.rank == 3:
        order = [0, None, 2, 1]
    else:
        raise Refusal(f"input of {value.rank} axes, wanted 3 (1-D) or 4 (2-D)")
    return builder.arrange(value, order), order


def read_window(node: Node, kernel: list[int], sizes: Pair, *, ceil: bool = False) -> Window:
    """Read a node's window over an input of `sizes`, resolving auto_pad.

    With `ceil` the last, partly filled window counts: pads after are enlarged to fill it.
    """
    spatial = len(kernel)
    strides = _pair(node.ints("strides", [1] * spatial), spatial, "strides")
    dilations = _pair(node.ints("dilations", [1] * spatial), spatial, "dilations")
    window = Window(_pair(kernel, spatial, "kernel_shape"), strides, dilations, ((0, 0), (0, 0)))
    mode = node.text("auto_pad", "NOTSET")
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        pads = [window.same_pads(axis, sizes[axis]) for axis in (0, 1)]
        if mode == "SAME_LOWER":
            pads = [(after, before) for before, after in pads]
    elif mode == "VALID":
        pads = [(0, 0), (0, 0)]
    elif mode == "NOTSET":
        pads = read_pads(node, spatial)
    else:
        raise Refusal(f"auto_pad is {mode!r}")
    if ceil:
        pads = [_ceiled(window, axis, sizes[axis], pads[axis]) for axis in (0, 1)]
    return Window(window.kernel, strides, dilations, (pads[0], pads[1]))


def read_pads(node: Node, spatial: int) -> list[Pair]:
    """Read the attribute `pads` as (before, after) of height and width."""
    flat = node.ints("pads", [0] * (2 * spatial))
    if len(flat) != 2 * spatial or min(flat) < 0 or max(flat) > MAX_WINDOW:
        raise Refusal(f"pads are {flat}, wanted {2 * spatial} numbers of at least 0")
    pads = [(flat[axis], flat[axis + spatial]) for axis in range(spatial)]
    return pads if spatial == 2 else [(0, 0), *pads]


def _pair(values: list[int], spatial: int, name: str) -> Pair:
    if len(values) != spatial or min(values) < 1 or max(values) > MAX_WINDOW:
        raise Refusal(f"{name} is {values}, wanted {spatial} numbers of at least 1")
    return (values[0], values[1]) if spatial == 2 else (1, values[0])


def _ceiled(window: Window, axis: int, size: int, pads: Pair) -> Pair:
    stride, extent = window.strides[axis], window.extent(axis)
    span = size + sum(pads) - extent
    count = -(-span // stride) + 1
    # A window that would start in the padding after the input does not count.
    if (count - 1) * stride >= size + pads[0]:
        count -= 1
    return pads[0], max(pads[1], (count - 1) * stride + extent - size - pads[0])


def check_fit(window: Window, sizes: Pair) -> None:
    """Refuse a window larger than its padded input."""
    for axis in (0, 1):
        if window.extent(axis) > sizes[axis] + sum(window.pads[axis]):
            raise Refusal(f"a window of {window.kernel} for an input of {sizes}")


def zero_padded(builder: Builder, tensor: Any, window: Window) -> tuple[Any, str]:
    """Return the tensor and the Keras padding mode that give the window's pads, as zeros."""
    sizes = tensor.shape[1], tensor.shape[2]
    if window.unpadded:
        return tensor, "valid"
    if window.is_same(sizes):
        return tensor, "same"
    return builder.layer(tf_keras.layers.ZeroPadding2D, tensor, window.pads, suffix="pad"), "valid"
