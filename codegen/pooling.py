"""What the ops that pool over a window share: options, shape, kernel call."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from edgec.codegen import float_vectors
from edgec.codegen.constraints import (
    four_dimensions,
    inputs,
    integers_or_float32,
    same_quantization,
    small_dimensions,
    symmetric_int16,
)
from edgec.codegen.quantmath import activation_range, float_bounds
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step
from edgec.codegen.window import Window, height_width
from edgec.pipeline.graph import Activation, DType


def window_fits(op: Pool, io: Io) -> bool:
    """The window is no larger than the padded input."""
    return min(op.window.output((io.x.shape[1], io.x.shape[2]))) > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool(KernelOp):
    """Base of the pooling ops; the kernel is named after the op."""

    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(1),
        four_dimensions,
        small_dimensions,
        integers_or_float32,
        symmetric_int16,
        same_quantization,
        window_fits,
    )
    banded: ClassVar[bool] = True

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

    def lower(self, io: Io) -> Step:
        """Return the window-by-window kernel."""
        low, high = (
            float_bounds(self.activation)
            if io.x.dtype is DType.FLOAT32
            else activation_range(self.activation, io.y)
        )
        step = Step(
            f"edgec_{self.builtin.lower()}_{io.x.dtype.value}",
            {
                **dict(zip(("batches", "in_h", "in_w", "channels"), io.x.shape, strict=True)),
                "out_h": io.y.shape[1],
                "out_w": io.y.shape[2],
                **{k: v for k, v in self.window.fields.items() if "dilation" not in k},
                "out_min": low,
                "out_max": high,
            },
            accesses=self.window.accesses(io.x, io.y),
        )
        if io.x.dtype is not DType.FLOAT32:
            return step
        return float_vectors.plain_cost(step, 10 * io.y.size * math.prod(self.window.kernel))

    def variants(self, io: Io, features: frozenset[str]) -> tuple[Step, ...]:
        """Return the float32 kernel for vector units."""
        return float_vectors.element_variants(io, features, Pool.lower(self, io))
