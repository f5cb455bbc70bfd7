"""HARD_SWISH: x * min(6, max(0, x + 3)) / 6."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from edgec.codegen import lookup
from edgec.codegen.quantmath import quantize_multiplier, rounding_divide_by_pot
from edgec.codegen.rectifier import float32_ratio
from edgec.codegen.registry import Io, KernelOp, register
from edgec.codegen.unary import Unary
from edgec.pipeline.graph import Array, DType

HIRES_BITS = 7
"""Bits by which the centred input is scaled up to fill 16 bits."""


def scale_ratio_fits(op: KernelOp, io: Io) -> bool:
    """The int8 input's scale is less than 128 times the output's."""
    return io.x.dtype is DType.FLOAT32 or _multipliers(io)[0][1] <= 0


def _multipliers(io: Io) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return (16-bit multiplier, exponent) to the output's scale and to 3/32768 a step.

    Source: TFLite HardSwishPrepare, in float32.
    """
    hires = np.float32(1.0 / 128.0) * np.float32(io.x.q.scale)
    scales = (io.y.q.scale, 3.0 / 32768.0)
    pairs = [quantize_multiplier(float32_ratio(float(hires), scale)) for scale in scales]
    (first, second) = ((min((m + (1 << 15)) >> 16, 32767), shift) for m, shift in pairs)
    return first, second


def _rounding_high_mul(a: Array, b: int) -> Array:
    """Return gemmlowp's SaturatingRoundingDoublingHighMul of int16 values."""
    product = a * b
    total = product + np.where(product >= 0, 1 << 14, 1 - (1 << 14))
    return np.asarray(np.sign(total) * (np.abs(total) >> 15))


def _int16(x: Array) -> Array:
    return np.clip(x, -(1 << 15), (1 << 15) - 1)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class HardSwish(Unary):
    """Piecewise polynomial that resembles x * sigmoid(x)."""

    builtin: ClassVar[str] = "HARD_SWISH"
    constraints: ClassVar[tuple[Any, ...]] = (*Unary.constraints, scale_ratio_fits)
    kernel: ClassVar[str] = "edgec_hard_swish_float32"

    def real(self, x: Array) -> Array:
        """Multiply, then divide, in float32."""
        three, six = np.float32(3.0), np.float32(6.0)
        return x * np.minimum(six, np.maximum(np.float32(0.0), x + three)) / six

    def table(self, io: Io) -> Array:
        """Compute in 16-bit fixed point; TFLite reference_ops::HardSwish."""
        (out_multiplier, out_exponent), (multiplier, exponent) = _multipliers(io)
        hires = (lookup.codes(io.x) - io.x.q.zero_point) << HIRES_BITS
        preshift = _rounding_high_mul(hires, out_multiplier)
        # the input from -3 .. 3 to -1 .. 1 in Q0.15; the last left shift is the one that saturates
        gate = _int16(hires << max(exponent - 1, 0))
        gate = _rounding_high_mul(gate, multiplier)
        if exponent > 0:
            gate = _int16(gate << 1)
        gate = rounding_divide_by_pot(gate, max(-exponent, 0))
        gate = (gate + (1 << 15)) >> 1
        product = gate * preshift
        product = np.sign(product) * (np.abs(product) >> 15)
        scaled = rounding_divide_by_pot(product, -out_exponent) + io.y.q.zero_point
        return lookup.saturate(scaled.astype(np.int16), io.y)
