"""ADD: element-wise sum, with numpy broadcasting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import broadcast
from edgec.codegen.constraints import all_inputs_alike, inputs, int8_or_float32
from edgec.codegen.products import clamp_float
from edgec.codegen.quantmath import (
    activation_range,
    float_bounds,
    quantize_multiplier,
    requantize_double,
)
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.graph import Activation, Array, DType

LEFT_SHIFT = 20
"""Head room that TFLite's int8 sum gives both inputs before they are rescaled."""


def _scales(io: Io) -> tuple[tuple[int, int], ...]:
    """Return (multiplier, shift) of both inputs and the output; TFLite kernels/add.cc, Prepare."""
    x1, x2 = io.x.q.scale, io.input(1).q.scale
    twice_max = 2.0 * max(x1, x2)
    out = twice_max / ((1 << LEFT_SHIFT) * io.y.q.scale)
    return tuple(quantize_multiplier(s) for s in (x1 / twice_max, x2 / twice_max, out))


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Add(KernelOp):
    """Sum of two tensors."""

    builtin: ClassVar[str] = "ADD"
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(2),
        int8_or_float32,
        all_inputs_alike,
        broadcast.shapes_broadcast,
    )

    activation: Activation

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read AddOptions: 0 activation."""
        return cls(activation=Activation(node.options.int8(0)), **node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the broadcast shape."""
        return (np.broadcast_shapes(io.x.shape, io.input(1).shape),)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Add; int8 in the fixed point of TFLite's reference kernel."""
        a, b = np.asarray(inputs[0]), np.asarray(inputs[1])
        if io.x.dtype is DType.FLOAT32:
            return (clamp_float(a + b, self.activation),)
        first, second, out = _scales(io)
        total = sum(
            requantize_double((x.astype(np.int64) - t.q.zero_point) << LEFT_SHIFT, *scale)
            for x, t, scale in ((a, io.x, first), (b, io.input(1), second))
        )
        low, high = activation_range(self.activation, io.y)
        result = requantize_double(np.asarray(total), *out) + io.y.q.zero_point
        return (np.clip(result, low, high).astype(np.int8),)

    def lower(self, io: Io) -> Step:
        """Return the broadcasting element-wise kernel."""
        loops = broadcast.loops(io)
        if io.x.dtype is DType.FLOAT32:
            low, high = float_bounds(self.activation)
            ends: dict[str, float] = {"out_min": low, "out_max": high}
            return Step("edgec_add_float32", {**loops, **ends}, inputs=(0, 1))
        (mult1, shift1), (mult2, shift2), (mult, shift) = _scales(io)
        low, high = activation_range(self.activation, io.y)
        return Step(
            "edgec_add_int8",
            {
                **loops,
                "multiplier1": mult1,
                "shift1": shift1,
                "multiplier2": mult2,
                "shift2": shift2,
                "out_multiplier": mult,
                "out_shift": shift,
                "zero_point1": io.x.q.zero_point,
                "zero_point2": io.input(1).q.zero_point,
                "out_zero_point": io.y.q.zero_point,
                "out_min": low,
                "out_max": high,
            },
            inputs=(0, 1),
        )
