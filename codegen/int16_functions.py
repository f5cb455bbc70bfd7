"""Functions of one int16 tensor, as LiteRT's reference kernels compute them.

Source: TFLite `kernels/internal/common.{h,cc}` (LUTPopulateInt16, LUTLookup, the sigmoid table) and
`reference/integer_ops/{logistic,tanh}.h`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from edgec.codegen.lookup import round_half_away
from edgec.codegen.quantmath import nearest_power_of_two, requantize_double
from edgec.codegen.registry import Const, Io, KernelOp, Step, Value
from edgec.pipeline.graph import Array, DType, Tensor

STEPS = 512
_LOW, _HIGH = -32768, 32767
# fmt: off
SIGMOID = np.array((
    32768, 33451, 34133, 34813, 35493, 36169, 36843, 37513, 38180, 38841, 39498, 40149, 40794,
    41432, 42064, 42688, 43304, 43912, 44511, 45102, 45683, 46255, 46817, 47369, 47911, 48443,
    48964, 49475, 49975, 50464, 50942, 51409, 51865, 52311, 52745, 53169, 53581, 53983, 54374,
    54755, 55125, 55485, 55834, 56174, 56503, 56823, 57133, 57433, 57724, 58007, 58280, 58544,
    58800, 59048, 59288, 59519, 59743, 59959, 60168, 60370, 60565, 60753, 60935, 61110, 61279,
    61441, 61599, 61750, 61896, 62036, 62172, 62302, 62428, 62549, 62666, 62778, 62886, 62990,
    63090, 63186, 63279, 63368, 63454, 63536, 63615, 63691, 63765, 63835, 63903, 63968, 64030,
    64090, 64148, 64204, 64257, 64308, 64357, 64405, 64450, 64494, 64536, 64576, 64614, 64652,
    64687, 64721, 64754, 64786, 64816, 64845, 64873, 64900, 64926, 64950, 64974, 64997, 65019,
    65039, 65060, 65079, 65097, 65115, 65132, 65149, 65164, 65179, 65194, 65208, 65221, 65234,
    65246, 65258, 65269, 65280, 65291, 65301, 65310, 65319, 65328, 65337, 65345, 65352, 65360,
    65367, 65374, 65381, 65387, 65393, 65399, 65404, 65410, 65415, 65420, 65425, 65429, 65433,
    65438, 65442, 65445, 65449, 65453, 65456, 65459, 65462, 65465, 65468, 65471, 65474, 65476,
    65479, 65481, 65483, 65485, 65488, 65489, 65491, 65493, 65495, 65497, 65498, 65500, 65501,
    65503, 65504, 65505, 65507, 65508, 65509, 65510, 65511, 65512, 65513, 65514, 65515, 65516,
    65517, 65517, 65518, 65519, 65520, 65520, 65521, 65522, 65522, 65523, 65523, 65524, 65524,
    65525, 65525, 65526, 65526, 65526, 65527, 65527, 65528, 65528, 65528, 65529, 65529, 65529,
    65529, 65530, 65530, 65530, 65530, 65531, 65531, 65531, 65531, 65531, 65532, 65532, 65532,
    65532, 65532, 65532, 65533, 65533, 65533, 65533, 65533, 65533, 65533, 65533, 65534, 65534,
    65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65535,
), np.uint16)
# fmt: on
"""The logistic function of i / 24 in steps of 2**-16, as the reference has it: off by up to one."""
_INPUT_UNIT = 4096.0 * 3.0


class WideFunction(Protocol):
    """A function of int16 elements: what it gives, and the kernel that computes it."""

    def apply(self, x: Array) -> Array:
        """Return the function of int16 values, as int16."""

    def step(self, io: Io) -> Step:
        """Return the kernel's call."""


def unit_steps(op: KernelOp, io: Io) -> bool:
    """int16 outputs have scale 2**-15."""
    return io.y.dtype is not DType.INT16 or nearest_power_of_two(io.y.q.scale) == -15


def steps_fit(op: KernelOp, io: Io) -> bool:
    """The scale of an int16 input is at most 2."""
    return io.x.dtype is not DType.INT16 or io.x.q.scale <= 2.0


@dataclass(frozen=True, slots=True)
class Interpolated:
    """Linear interpolation between the 513 entries of `table`."""

    table: Array

    def apply(self, x: Array) -> Array:
        """Interpolate."""
        return interpolate(self.table, x)

    def step(self, io: Io) -> Step:
        """Return the table kernel."""
        fields: dict[str, Value] = {"table": Const(self.table, "(513)"), "size": io.x.size}
        return Step("edgec_lookup_int16", fields, in_place=(0,))


@dataclass(frozen=True, slots=True)
class Rescaled:
    """A multiplier and shift on either side of zero, the one below with a sign; then a clamp."""

    above: tuple[int, int]
    below: tuple[int, int]
    bounds: tuple[int, int]

    def apply(self, x: Array) -> Array:
        """Rescale by sign, then clamp."""
        wide = x.astype(np.int64)
        multiplier, shift = self.below
        negative = requantize_double(wide, abs(multiplier), shift)
        negative = -negative if multiplier < 0 else negative
        out = np.where(wide < 0, negative, requantize_double(wide, *self.above))
        return np.clip(out, *self.bounds).astype(np.int16)

    def step(self, io: Io) -> Step:
        """Return the rescaling kernel."""
        fields: dict[str, Value] = {
            "size": io.x.size,
            "multiplier": self.above[0],
            "shift": self.above[1],
            "below_multiplier": self.below[0],
            "below_shift": self.below[1],
            "out_min": self.bounds[0],
            "out_max": self.bounds[1],
        }
        return Step("edgec_rescale_int16", fields, in_place=(0,))


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """The logistic function, or tanh, of the input times `multiplier` / 2**`shift` / 12288."""

    multiplier: int
    shift: int
    is_tanh: bool

    @staticmethod
    def of(x: Tensor, *, is_tanh: bool) -> Sigmoid:
        """Return the function for an input's scale; TFLite SigmoidPrepare and TanhPrepare."""
        exponent = nearest_power_of_two(x.q.scale)
        left = -1 if exponent is None else 12 + exponent
        if left == 0 or (is_tanh and left == 1):
            return Sigmoid(3 << left, 0, is_tanh)
        multiplier, shift = x.q.scale * _INPUT_UNIT, 0
        while multiplier <= 32767.0 / 2.0 and shift <= 30:
            multiplier, shift = multiplier * 2.0, shift + 1
        return Sigmoid(int(multiplier), shift, is_tanh)

    def apply(self, x: Array) -> Array:
        """Look up and interpolate the magnitude, then give it its sign."""
        half = (1 << self.shift) >> 1
        scaled = (x.astype(np.int64) * self.multiplier + half) >> self.shift
        size = np.abs(scaled)
        if self.is_tanh:
            v = _entry(size, 8, 65535 << 8)
            out = np.where(scaled < 0, (1 << 23) - v + 127, v - (1 << 23) + 128) >> 8
        else:
            v = _entry(size, 9, 32767 << 10)
            out = np.where(scaled < 0, (1 << 25) - v + 511, v + 512) >> 10
        return out.astype(np.int16)

    def step(self, io: Io) -> Step:
        """Return the table kernel."""
        fields: dict[str, Value] = {
            "table": Const(SIGMOID, "(256)"),
            "size": io.x.size,
            "multiplier": self.multiplier,
            "shift": self.shift,
            "is_tanh": int(self.is_tanh),
        }
        return Step("edgec_sigmoid_int16", fields, in_place=(0,))


def _entry(size: Array, bits: int, most: int) -> Array:
    table = SIGMOID.astype(np.int64)
    at = np.minimum(size >> bits, 254)
    value = (table[at] << bits) + (size & ((1 << bits) - 1)) * (table[at + 1] - table[at])
    return np.asarray(np.where(size >> bits >= 255, most, value))


def interpolated(
    inputs: tuple[float, int], outputs: tuple[float, int], function: Callable[[Array], Array]
) -> Array:
    """Return the table of a float32 function between quantisations (scale, zero point).

    Each entry is moved by half the error in the middle of its segment.
    """
    f = np.float32
    (in_scale, in_zero), (out_scale, out_zero) = inputs, outputs
    with np.errstate(all="ignore"):
        low, high = f(in_scale) * f(_LOW - in_zero), f(in_scale) * f(_HIGH - in_zero)
        least, most = f(out_scale) * f(_LOW - out_zero), f(out_scale) * f(_HIGH - out_zero)
        step = (high - low) / f(STEPS)
        per_unit = f(_HIGH - _LOW + 1) / (most - least)
        at = low + np.arange(STEPS, dtype=np.float32) * step
        after = low + np.arange(1, STEPS + 1, dtype=np.float32) * step
        value = round_half_away(function(at) * per_unit)
        middle = function(at + step / f(2)) * per_unit
        between = round_half_away((function(after) * per_unit + value) / f(2))
        bias = round_half_away((between - round_half_away(middle)) / f(2))
        last = round_half_away(function(np.array([high], f)) * per_unit)
        entries = np.concatenate([value - bias, last])
    return np.asarray(np.clip(np.nan_to_num(entries), _LOW, _HIGH).astype(np.int16))


def of_real_function(x: Tensor, y: Tensor, function: Callable[[Array], Array]) -> Interpolated:
    """Return a float32 function between two int16 tensors."""
    ends = ((x.q.scale, x.q.zero_point), (y.q.scale, y.q.zero_point))
    return Interpolated(interpolated(*ends, function))


def interpolate(table: Array, x: Array) -> Array:
    """Return the table's function of int16 values, in 16-bit registers as the source has it."""
    wide, at = table.astype(np.int64), 256 + (x.astype(np.int64) >> 7)
    slope = (wide[at + 1] - wide[at]).astype(np.int16).astype(np.int64)
    delta = (slope * (x.astype(np.int64) & 127) + 64) >> 7
    return np.asarray((wide[at] + delta).astype(np.int16))
