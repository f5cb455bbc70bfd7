"""AVERAGE_POOL_2D: mean over a window, the border left out of the count."""

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


def window_fits(op: AveragePool2D, io: Io) -> bool:
    """The window is no larger than the padded input."""
    return min(op.window.output((io.x.shape[1], io.x.shape[2]))) > 0


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class AveragePool2D(KernelOp):
    """Mean of the window's elements that lie inside; int8 rounds halves away from zero."""

    builtin: ClassVar[str] = "AVERAGE_POOL_2D"
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(1),
        four_dimensions,
        small_dimensions,
        int8_or_float32,
        same_quantization,
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
        """Sum and divide by the count of elements inside."""
        x = np.asarray(inputs[0])
        kind = np.float64 if io.x.dtype is DType.FLOAT32 else np.int64
        total = self.window.taps(x.astype(kind), 0).sum(axis=(3, 4))
        count = self.window.taps(np.ones(x.shape, kind), 0).sum(axis=(3, 4))
        if io.x.dtype is DType.FLOAT32:
            return (clamp_float(total / count, self.activation),)
        half = count // 2
        mean = np.where(total > 0, total + half, total - half)
        mean = np.sign(mean) * (np.abs(mean) // count)
        return (np.clip(mean, *activation_range(self.activation, io.y)).astype(np.int8),)

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
                "edgec_average_pool_2d_float32",
                {**fields, "out_min": low, "out_max": high},
                accesses=rows,
            )
        least, most = activation_range(self.activation, io.y)
        return Step(
            "edgec_average_pool_2d_int8",
            {**fields, "out_min": least, "out_max": most},
            accesses=rows,
        )
