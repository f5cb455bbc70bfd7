"""QUANTIZE: float32 to integers, or 8-bit integers to another scale or signedness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import lookup
from edgec.codegen.constraints import inputs
from edgec.codegen.quantmath import quantize_multiplier, requantize_double
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.graph import Array, DType, Tensor


def known_types(op: KernelOp, io: Io) -> bool:
    """float32 becomes int8, uint8 or int16; int8 and uint8 become int8 or uint8; int8 and int16
    become each other or int16. Integers have one scale and zero point, int16 the zero point 0.
    """
    if io.x.dtype is DType.FLOAT32:
        return lookup.is_8_bit(io.y) or _is_16_bit(io.y)
    if not (_is_16_bit(io.x) or _is_16_bit(io.y)):
        return lookup.is_8_bit(io.x) and lookup.is_8_bit(io.y)
    return all(
        _is_16_bit(t) or (lookup.is_8_bit(t) and t.dtype is DType.INT8) for t in (io.x, io.y)
    )


def _is_16_bit(tensor: Tensor) -> bool:
    quant = tensor.quant
    if tensor.dtype is not DType.INT16 or quant is None or quant.per_channel:
        return False
    return quant.zero_point == 0


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
        centred = lookup.codes(io.x) - io.x.q.zero_point
        return lookup.saturate(
            requantize_double(centred, *self.scale(io)) + io.y.q.zero_point, io.y
        )

    def scale(self, io: Io) -> tuple[int, int]:
        """Return the multiplier and shift between two integer types."""
        return quantize_multiplier(io.x.q.scale / io.y.q.scale)

    @staticmethod
    def _is_wide(io: Io) -> bool:
        return io.x.dtype is not DType.FLOAT32 and DType.INT16 in (io.x.dtype, io.y.dtype)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Divide by the scale in float32 and round halves away from zero, or look up."""
        x = np.asarray(inputs[0])
        if self._is_wide(io):
            centred = x.astype(np.int64) - io.x.q.zero_point
            scaled = requantize_double(centred, *self.scale(io)) + io.y.q.zero_point
            return (lookup.saturate(scaled, io.y),)
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
            if same:
                return Step(view=True)
            return self._between(io) if self._is_wide(io) else lookup.step(self.table(io), io)
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

    def _between(self, io: Io) -> Step:
        """Return the kernel between int8 and int16, or int16 and itself."""
        multiplier, shift = self.scale(io)
        least, most = io.y.dtype.range
        widths = "_".join(t.dtype.value for t in (io.x, io.y))
        fields: dict[str, int | float] = {
            "size": io.x.size,
            "multiplier": multiplier,
            "shift": shift,
            "zero_point": io.x.q.zero_point,
            "out_zero_point": io.y.q.zero_point,
            "out_min": least,
            "out_max": most,
        }
        return Step(f"edgec_requantize_{widths}", fields)
