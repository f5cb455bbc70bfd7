"""Rescaling in integers what the reference multiplies in float64, proven equal for every sum.

A scale's 53 bits, shifted up to 62, multiply a 32-bit sum exactly; only the low bits of the product
are cut off. That rounds as float64 does unless a product lies within a hair of a half. Which sums
do is counted, not searched: a sum over floors, in logarithmic time; those few are then computed
both ways.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

_BITS = 62
_LOW_BITS = 31
_MOST_NEAR = 64
"""More sums near a half than this are not tried one by one."""
_MOST_RESULT = 32769
"""Beyond, outputs of 16 bits are clamped."""


@dataclass(frozen=True, slots=True)
class Factor:
    """A scale as `high` and `low`, its first and next 31 bits, in units of 2**-(32 + shift)."""

    high: int
    low: int
    shift: int

    def rescale(self, total: int) -> int:
        """Return a sum in units of the output, as `edgec_fully_connected_int16_dsp` does."""
        product = total * self.high + (total * self.low >> _LOW_BITS) - (total < 0)
        return ((product >> (31 + self.shift)) + 1) >> 1


def exact_factor(scale: float, most: int) -> Factor | None:
    """Return the factor that rescales every sum up to magnitude `most` as float64 does.

    None where there is none: the scale is above a quarter, or too small, or a sum rounds otherwise.
    """
    mantissa, exponent = math.frexp(scale)
    whole = int(mantissa * (1 << 53)) << (_BITS - 53)
    shift = -exponent - 1
    if not 1 <= shift <= 30:
        return None
    factor = Factor(whole >> _LOW_BITS, whole & ((1 << _LOW_BITS) - 1), shift)
    unit = _BITS - exponent
    reach = min(most, math.ceil(_MOST_RESULT / scale))
    near = _near_halves(whole, unit, reach)
    if near is None:
        return None
    alike = all(factor.rescale(s * n) == _in_float64(s * n, scale) for n in near for s in (1, -1))
    return factor if alike else None


def _in_float64(total: int, scale: float) -> int:
    value = float(total) * scale
    twice = math.trunc(2.0 * value)
    return (abs(twice) + 1) // 2 * (1 if twice >= 0 else -1)


def _near_halves(whole: int, unit: int, reach: int) -> list[int] | None:
    """Return the sums 1 .. reach whose product is near a half, but none; None if there are many.

    Near is what float64 may round away at magnitudes below 2**16, or the low bits that are cut off.
    """
    modulus, half = 1 << unit, 1 << (unit - 1)
    width = (1 << max(unit - 37, 0)) + (1 << (_LOW_BITS + 2))

    def count(end: int) -> int:
        """Return how many of the sums 0 .. end - 1 are near a half without being one."""
        around = _residues(end, modulus, whole, half + width, 2 * width + 1)
        return around - _residues(end, modulus, whole, half, 1)

    total = count(reach + 1) - count(1)
    if total > _MOST_NEAR:
        return None

    def located(first: int, end: int, found: int) -> Iterator[int]:
        """Yield the near ones of first .. end - 1, which are `found`."""
        if found == 0:
            return
        if end - first == 1:
            yield first
            return
        middle = (first + end) // 2
        below = count(middle) - count(first)
        yield from located(first, middle, below)
        yield from located(middle, end, found - below)

    return list(located(1, reach + 1, total))


def _residues(count: int, modulus: int, step: int, offset: int, below: int) -> int:
    """Return for how many i of 0 .. count - 1 (step * i + offset) mod modulus < below."""
    return _floor_sum(count, modulus, step, offset) - _floor_sum(
        count, modulus, step, offset - below
    )


def _floor_sum(count: int, modulus: int, step: int, offset: int) -> int:
    """Return the sum over i in 0 .. count - 1 of floor((step * i + offset) / modulus)."""
    total = 0
    while True:
        total += (count - 1) * count // 2 * (step // modulus) + count * (offset // modulus)
        step, offset = step % modulus, offset % modulus
        last = step * count + offset
        if last < modulus:
            return total
        # the points below the line, counted along the other axis
        count, offset = divmod(last, modulus)
        modulus, step = step, modulus
