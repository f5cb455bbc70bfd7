"""QUANTIZE: float32 to integers, or 8-bit integers to another scale or signedness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import lookup
from edgec.codegen.constraints import inputs
from edgec.codegen.quantmath import quantize_multiplier, requantize_double
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.graph import Array, DType


def known_types(op: KernelOp, io: Io) -> bool:
    """float32 becomes int8, uint8 or int16; int8 and uint8 become int8 or uint8.

    Integers have one scale and zero point.
    """
    if io.x.dtype is not DType.FLOAT32:
        return lookup.is_8_bit(io.x) and lookup.is_8_bit(io.y)
    is_16_bit = io.y.dtype is DType.INT16 and io.y.quant is not None
    return lookup.is_8_bit(io.y) or (is_16_bit and not io.y.q.per_channel)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Quantize(KernelOp):
    """Affine quantisation; between equal quantisations a view."""

    builtin: ClassVar[str] = "QUANTIZE"
    constraints: ClassVar[tuple[Any, ...]] = (inputs(1), known_types)

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read an op that has no options."""
        return cls(**node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the input's shape."""
        return (io.x.shape,)

    def table(self, io: Io) -> Array:
        """Return the 8-bit output for each input byte; TFLite reference/requantize.h."""
        multiplier = quantize_multiplier(io.x.q.scale / io.y.q.scale)
        centred = lookup.codes(io.x) - io.x.q.zero_point
        return lookup.saturate(requantize_double(centred, *multiplier) + io.y.q.zero_point, io.y)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Divide by the scale in float32 and round halves away from zero, or look up."""
        x = np.asarray(inputs[0])
        if io.x.dtype is not DType.FLOAT32:
            return (lookup.apply(self.table(io), x, io.y),)
        steps = lookup.round_half_away(x / np.float32(io.y.q.scale)).astype(np.float64)
        return (lookup.saturate(steps + io.y.q.zero_point, io.y),)

    def lower(self, io: Io) -> Step:
        """Return the table kernel, a view, or the kernel of the output's width."""
        if io.x.dtype is not DType.FLOAT32:
            same = io.x.dtype is io.y.dtype and (io.x.q.scale, io.x.q.zero_point) == (
                io.y.q.scale,
                io.y.q.zero_point,
            )
            return Step(view=True) if same else lookup.step(self.table(io), io)
        least, most = io.y.dtype.range
        kernel = f"edgec_quantize_int{8 * io.y.dtype.size_bytes}"
        fields: dict[str, int | float] = {
            "size": io.x.size,
            "zero_point": io.y.q.zero_point,
            "scale": io.y.q.scale,
            "steps_min": float(least - io.y.q.zero_point),
            "steps_max": float(most - io.y.q.zero_point),
        }
        return Step(kernel, fields)
