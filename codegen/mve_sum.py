"""The int8 sum for cores with MVE: when the kernel `edgec_add_int8_mve` applies."""

from __future__ import annotations

from edgec.codegen.binary import SUM_LEFT_SHIFT, Scale
from edgec.codegen.quantmath import activation_range
from edgec.codegen.registry import Cost, Io, Step
from edgec.pipeline.graph import Activation

_HALF = (1 << 30, 0)
"""The scale that means 0.5."""
_LEAST_SHIFT = -31


def step(io: Io, scales: tuple[Scale, Scale, Scale], activation: Activation) -> Step | None:
    """Return the call of the kernel for two inputs of one shape, None where it does not apply."""
    first, second, out = scales
    swap = second != _HALF
    if swap:
        first, second = second, first
    smaller = first == _HALF or _LEAST_SHIFT <= first[1] <= -1
    if second != _HALF or not smaller or not _LEAST_SHIFT <= out[1] <= -1:
        return None
    order = (1, 0) if swap else (0, 1)
    a, b = (io.input(i).q.zero_point for i in order)
    multiplier1, shift1 = first
    factor = 1 << SUM_LEFT_SHIFT
    if shift1 == 0:  # one half, too: with a bit to round away there is one way to round
        factor, shift1 = 2 * factor, -1
    low, high = activation_range(activation, io.y)
    return Step(
        "edgec_add_int8_mve",
        {
            "factor": factor,
            "offset": -a * factor,
            "multiplier1": multiplier1,
            "shift1": shift1,
            "offset2": -b << SUM_LEFT_SHIFT - 1,
            "multiplier": out[0],
            "shift": out[1],
            "size": io.y.size,
            "out_zero_point": io.y.q.zero_point,
            "out_min": low,
            "out_max": high,
        },
        inputs=order,
        in_place=(0, 1),
        cost=Cost(50 + 18 * -(-io.y.size // 4), 0),
    )
