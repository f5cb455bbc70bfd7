"""Sums of two int16 tensors of one shape for cores with SMMULR."""

from __future__ import annotations

from edgec.codegen.binary import Scale
from edgec.codegen.quantmath import activation_range
from edgec.codegen.registry import Cost, Io, Step
from edgec.pipeline.graph import Activation

_HALF = (1 << 30, 0)
_MOST_SHIFT = 30


def steps(io: Io, scales: tuple[Scale, Scale, Scale], activation: Activation) -> tuple[Step, ...]:
    """Return the kernel's call if it applies: the input of the larger scale is exactly halved."""
    first, second, out = scales
    swap = first != _HALF
    if swap:
        first, second = second, first
    shift2, shift = -second[1], -out[1]
    if first != _HALF or not 0 <= shift2 <= _MOST_SHIFT or not 1 <= shift <= _MOST_SHIFT:
        return ()
    low, high = activation_range(activation, io.y)
    params = {
        "size": io.y.size,
        "multiplier2": second[0],
        "nudge2": (1 << shift2) >> 1,
        "shift2": shift2,
        "multiplier": out[0],
        "nudge": 1 << (shift - 1),
        "shift": shift,
        "out_min": low,
        "out_max": high,
    }
    cost = Cost(40 + 22 * io.y.size, 0)
    order = (1, 0) if swap else (0, 1)
    return (Step("edgec_add_int16_dsp", params, inputs=order, in_place=(0, 1), cost=cost),)
