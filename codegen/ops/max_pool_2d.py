"""MAX_POOL_2D: largest value in a window, the border left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen.constraints import (
    four_dimensions,
    inputs,
    int8_or_float32,
    same_quantization,
    small_dimensions,
)
from edgec.codegen.products import clamp_float
from edgec.codegen.quantmath import activation_range, float_bounds
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step, register
from edgec.codegen.window import Window, height_width
from edgec.pipeline.graph import Activation, Array, DType


def window_fits(op: MaxPool2D, io: Io) -> bool:
    """The window is no larger than the padded input."""
    return min(op.window.output((io.x.shape[1], io.x.shape[2]))) > 0


def small_window(op: MaxPool2D, io: Io) -> bool:
    """No window size or stride is over 32767."""
    return max(*op.window.kernel, *op.window.stride) <= 32767


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class MaxPool2D(KernelOp):
    """Maximum of the window's elements that lie inside."""

    builtin: ClassVar[str] = "MAX_POOL_2D"
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(1),
        four_dimensions,
        small_dimensions,
        int8_or_float32,
        same_quantization,
        small_window,
        window_fits,
    )

    window: Window
    activation: Activation

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read Pool2DOptions: 0 padding, 1-2 stride w h, 3-4 filter w h, 5 activation."""
        o = node.options
        window = Window.of_padding(
            o.int8(0),
            height_width(node.input(0).shape),
            (o.int32(4), o.int32(3)),
            (o.int32(2), o.int32(1)),
        )
        return cls(window=window, activation=Activation(o.int8(5)), **node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return (batch, out_h, out_w, channels)."""
        batch, high, wide, channels = io.x.shape
        return ((batch, *self.window.output((high, wide)), channels),)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Take the maximum and clamp it."""
        x = np.asarray(inputs[0])
        if io.x.dtype is DType.FLOAT32:
            lowest = float(np.finfo(np.float32).min)
            return (clamp_float(self.window.taps(x, lowest).max(axis=(3, 4)), self.activation),)
        largest = self.window.taps(x, -128).max(axis=(3, 4))
        return (np.clip(largest, *activation_range(self.activation, io.y)).astype(np.int8),)

    def lower(self, io: Io) -> Step:
        """Return the window-by-window kernel."""
        fields: dict[str, int | float] = {
            **dict(zip(("batches", "in_h", "in_w", "channels"), io.x.shape, strict=True)),
            "out_h": io.y.shape[1],
            "out_w": io.y.shape[2],
            **{k: v for k, v in self.window.fields.items() if "dilation" not in k},
        }
        rows = self.window.accesses(io.x, io.y)
        if io.x.dtype is DType.FLOAT32:
            low, high = float_bounds(self.activation)
            return Step(
                "edgec_max_pool_2d_float32",
                {**fields, "out_min": low, "out_max": high},
                accesses=rows,
            )
        least, most = activation_range(self.activation, io.y)
        return Step(
            "edgec_max_pool_2d_int8", {**fields, "out_min": least, "out_max": most}, accesses=rows
        )
