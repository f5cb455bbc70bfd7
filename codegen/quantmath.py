"""The integer arithmetic of TFLite quantisation, at compile time and as numpy references.

Sources: gemmlowp `fixedpoint.h` (SaturatingRoundingDoublingHighMul, RoundingDivideByPOT) and
TFLite `kernels/internal/quantization_util.cc` (QuantizeMultiplier, CalculateActivationRange) and
`kernels/internal/common.cc` (MultiplyByQuantizedMultiplier).
"""

from __future__ import annotations

import math

import numpy as np

from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Activation, Array, Tensor


def round_half_away(x: float) -> int:
    """Round to the nearest integer, halves away from zero (C's `round`)."""
    return math.floor(x + 0.5) if x >= 0 else math.ceil(x - 0.5)


def quantize_multiplier(real: float) -> tuple[int, int]:
    """Return (multiplier, shift) with real = multiplier * 2**(shift - 31).

    The multiplier is 0 or in 2**30 .. 2**31-1; shifts below -31 become zero, as in the source.
    """
    if real == 0.0:
        return 0, 0
    if not math.isfinite(real):
        raise UnsupportedModelError("the scales of an op's tensors have no finite quotient")
    mantissa, shift = math.frexp(real)
    fixed = round_half_away(mantissa * (1 << 31))
    if fixed == 1 << 31:
        fixed //= 2
        shift += 1
    if shift < -31:
        return 0, 0
    if shift > 30:
        return (1 << 31) - 1, 30
    return fixed, shift


def requantize_double(acc: Array, multiplier: Array | int, shift: Array | int) -> Array:
    """Return MultiplyByQuantizedMultiplier with its two roundings; int32 values held as int64."""
    mult = np.asarray(multiplier, np.int64)
    shifts = np.asarray(shift, np.int64)
    left, right = np.maximum(shifts, 0), np.maximum(-shifts, 0)
    x = wrap_int32(np.asarray(acc, np.int64) << left)
    return rounding_divide_by_pot(doubling_high_mul(x, mult), right)


def requantize_single(acc: Array, multiplier: Array | int, shift: Array | int) -> Array:
    """Return MultiplyByQuantizedMultiplier with one rounding (TFLITE_SINGLE_ROUNDING)."""
    total = 31 - np.asarray(shift, np.int64)
    product = np.asarray(acc, np.int64) * np.asarray(multiplier, np.int64)
    result = (product + (np.int64(1) << (total - 1))) >> total
    return np.asarray(np.clip(result, -(2**31), 2**31 - 1))


def nearest_power_of_two(scale: float) -> int | None:
    """Return the exponent of a scale that is a power of two, or nearly so; TFLite CheckedLog2."""
    if not 0 < scale < math.inf:
        return None  # only damaged files have such scales
    logarithm = math.log2(scale)
    return round(logarithm) if abs(logarithm - round(logarithm)) < 1e-3 else None


def reduced_multiplier(multiplier: Array | int) -> Array:
    """Return multipliers rounded to the 15 bits that 64-bit sums are multiplied by."""
    mult = np.asarray(multiplier, np.int64)
    return np.where(mult < 0x7FFF0000, (mult + (1 << 15)) >> 16, 0x7FFF)


def requantize_reduced(acc: Array, multiplier: Array | int, shift: Array | int) -> Array:
    """Return MultiplyByQuantizedMultiplier of int64 sums below 2**47: one rounding, halves up."""
    total = 15 - np.asarray(shift, np.int64)
    product = np.asarray(acc, np.int64) * reduced_multiplier(multiplier)
    return np.asarray((product + (np.int64(1) << (total - 1))) >> total)


def requantize_real(acc: Array, scale: Array | float) -> Array:
    """Return sums multiplied in float64 and rounded, halves away from zero (C's `round`)."""
    twice = np.trunc(2.0 * (np.asarray(acc, np.float64) * scale)).astype(np.int64)
    return np.asarray(np.sign(twice) * ((np.abs(twice) + 1) // 2))


def doubling_high_mul(a: Array, b: Array | int) -> Array:
    """Return gemmlowp's SaturatingRoundingDoublingHighMul of int32 values held as int64."""
    product = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    nudge = np.where(product >= 0, 1 << 30, 1 - (1 << 30))
    total = product + nudge
    # C division truncates towards zero; >> would floor
    result = np.where(total >= 0, total >> 31, -((-total) >> 31))
    return np.minimum(result, 2**31 - 1)


def rounding_divide_by_pot(x: Array, exponent: Array | int) -> Array:
    """Return x / 2**exponent, rounded to nearest, halves away from zero."""
    exp = np.asarray(exponent, np.int64)
    mask = (np.int64(1) << exp) - 1
    threshold = (mask >> 1) + (x < 0)
    return np.asarray((x >> exp) + ((x & mask) > threshold))


def wrap_int32(x: Array) -> Array:
    """Return the value a 32-bit register would hold, as int64."""
    return np.asarray(x, np.int64).astype(np.int32).astype(np.int64)


def activation_range(activation: Activation, tensor: Tensor) -> tuple[int, int]:
    """Return the clamp of a fused activation in the output's quantised range."""
    low, high = tensor.dtype.range
    a_min, a_max = activation.bounds

    def quantize(x: float) -> int:
        # float32 division, as in the source
        ratio = float(np.float32(x) / np.float32(tensor.q.scale))
        return tensor.q.zero_point + round_half_away(ratio)

    if math.isfinite(a_min):
        low = max(low, quantize(a_min))
    if math.isfinite(a_max):
        high = min(high, quantize(a_max))
    if low > high:
        raise UnsupportedModelError(f"tensor {tensor.name!r}: activation range is empty")
    return low, high


def float_bounds(activation: Activation) -> tuple[float, float]:
    """Return the clamp of a fused activation as finite float32 numbers."""
    limit = float(np.finfo(np.float32).max)
    a_min, a_max = activation.bounds
    return max(a_min, -limit), min(a_max, limit)
