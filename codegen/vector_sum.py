"""int8 sums for NEON, AVX2 and AVX-512: of two tensors, of a window's pixels, of all pixels.

The kernels are `edgec_add_int8_vector`, `edgec_average_pool_2d_int8_vector` and
`edgec_sum_int8_vector`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edgec.codegen.binary import SUM_LEFT_SHIFT, Scale
from edgec.codegen.quantmath import activation_range
from edgec.codegen.registry import Const, Cost, Io, Step, Value
from edgec.codegen.vector_image import LANES, Rescaling, channel_sets, ends
from edgec.codegen.window import Window
from edgec.pipeline.graph import Activation, Array

_HALF = (1 << 30, 0)
"""The scale that means 0.5."""


def add(io: Io, scales: tuple[Scale, Scale, Scale], activation: Activation) -> Step | None:
    """Return the call of the kernel for two inputs of one shape, None where it does not apply."""
    first, second, out = scales
    swap = second != _HALF
    if swap:
        first, second = second, first
    if second != _HALF:
        return None
    order = (1, 0) if swap else (0, 1)
    a, b = (io.input(i).q.zero_point for i in order)
    shift = SUM_LEFT_SHIFT
    if first == _HALF:  # with a bit more to round away, which is 0
        first, shift = (1 << 30, -1), shift + 1
    one = _uniform(first, 0, 0, 255 << shift)
    both = _uniform(out, io.y.q.zero_point, 0, 255 << SUM_LEFT_SHIFT)
    if one is None or both is None:
        return None
    low, high = activation_range(activation, io.y)
    return Step(
        "edgec_add_int8_vector",
        {
            "scales": Const(np.concatenate([one, both]), "(2, 5 fields, 16)"),
            "first_shift": shift,
            "offset": -a << shift,
            "offset2": -b << SUM_LEFT_SHIFT - 1,
            "size": io.y.size,
            **ends(low, high, single=False),
        },
        inputs=order,
        in_place=(0, 1),
        cost=Cost(50 + 32 * -(-io.y.size // LANES), one.nbytes + both.nbytes),
    )


def pool(io: Io, window: Window, params: Mapping[str, Value]) -> Step | None:
    """Return the call of the kernel for average pooling; `params` are the portable kernel's."""
    channels = io.x.shape[3]
    if channels < LANES:
        return None
    pixels = window.kernel[0] * window.kernel[1]
    return Step(
        "edgec_average_pool_2d_int8_vector",
        params,
        accesses=window.accesses(io.x, io.y),
        cost=Cost(io.y.size // channels * (30 + -(-channels // LANES) * (2 * pixels + 100)), 0),
    )


def total(io: Io, axes: tuple[int, ...], scale: Scale) -> Step | None:
    """Return the call of the kernel for a sum over height and width."""
    shape = io.x.shape
    if len(shape) != 4 or axes != (1, 2) or shape[3] < LANES:
        return None
    pixels = shape[1] * shape[2]
    start = -io.x.q.zero_point * pixels
    sets = _uniform(scale, io.y.q.zero_point, start, 255 * pixels)
    if sets is None:
        return None
    return Step(
        "edgec_sum_int8_vector",
        {
            "scale": Const(sets, "(5 fields, 16)"),
            "batches": shape[0],
            "pixels": pixels,
            "channels": shape[3],
            **ends(-128, 127, single=False),
        },
        cost=Cost(shape[0] * -(-shape[3] // LANES) * (2 * pixels + 30), sets.nbytes),
    )


def _uniform(scale: Scale, zero_point: int, start: int, most: int) -> Array | None:
    """Return one set of channels that are all alike, whose sums reach from -most to most."""
    ones = np.ones(LANES, np.int64)
    reach = (-most * ones, most * ones)
    pairs = np.tile(np.array(scale, np.int64), (LANES, 1))
    fields = Rescaling(start * ones, 0 * ones, reach, pairs, zero_point).channels()
    return None if fields is None else channel_sets(fields)
