"""Depthwise 3x3 int8 products by padded channel planes: when they apply, and their packing.

`edgec_depthwise_conv_2d_int8_plane` is for any core; `edgec_depthwise_conv_2d_int8_3x3*`, over
`edgec_depthwise_pairs`, keep two rows of a plane in one word for cores with SMLAD.
"""

from __future__ import annotations

import numpy as np

from edgec.codegen import products
from edgec.codegen.quantmath import activation_range
from edgec.codegen.registry import Accesses, Const, Cost, Io, Step, Value
from edgec.codegen.window import Window
from edgec.pipeline.graph import Activation, Array

CHANNELS = 4
"""How many channels are taken out of the image together."""
SCRATCH_BYTES = {1: 3200, 2: 2400}
"""What the planes of a band of rows may take, by stride.

At stride 2 the input is the largest tensor for miles round, so bands are kept thin there."""
_ORDER = ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (2, 2))
"""Taps as the kernel unpacks them: word 0 is the first two rows of columns 0 and 1, and so on."""
_MOST_SHIFT = 20
PLANE_BYTES = 6000
"""The largest plane of one channel that is worth its scratch."""


def plane_step(io: Io, window: Window, activation: Activation) -> Step | None:
    """Return the call of the kernel for any core, None where it does not apply."""
    weights = io.input(1).values
    channels = io.x.shape[3]
    if not _regular(window) or weights.shape[3] != channels:
        return None
    rows = weights.reshape(9, channels).T
    sums = rows.astype(np.int64).sum(axis=1)
    # the kernel's bytes count from 0, which is -128
    bias = products.folded_bias(io.x, rows, io.optional(2)) - 128 * sums
    mult = products.channel_multipliers(io.x, io.input(1), io.y, channels)
    reach = np.abs(bias) + 255 * np.abs(rows.astype(np.int64)).sum(axis=1)
    high, wide = ((n - 1) * s + 3 for n, s in zip(io.y.shape[1:3], window.stride, strict=True))
    if high * wide > PLANE_BYTES or not _in_range(reach, mult, io.y.q.zero_point, 1):
        return None
    low, most = activation_range(activation, io.y)
    stream = products.channel_stream(bias, mult * [1, -1])
    return Step(
        "edgec_depthwise_conv_2d_int8_plane",
        {
            "weights": Const(np.ascontiguousarray(rows), "(in_ch, 3, 3)"),
            "channels": stream,
            **_shape(io, window),
            "stride_h": window.stride[0],
            "stride_w": window.stride[1],
            "plane_h": high,
            "plane_w": wide,
            "out_min": low,
            "out_max": most,
        },
        scratch_bytes=high * wide,
        in_place=(0,),
        cost=Cost(_plane_instructions(io), rows.nbytes + stream.data.nbytes),
    )


def pairs_step(io: Io, window: Window, activation: Activation) -> Step | None:
    """Return the call of the kernel for this layer, None where it does not apply."""
    weights = io.input(1).values
    channels = io.x.shape[3]
    strides = ((1, 1), (2, 2))
    if not _regular(window) or window.stride not in strides or weights.shape[3] != channels:
        return None
    rows = weights.reshape(9, channels).T
    bias = products.folded_bias(io.x, rows, io.optional(2))
    mult = products.channel_multipliers(io.x, io.input(1), io.y, channels)
    low, high = activation_range(activation, io.y)
    reach = np.abs(bias) + 128 * np.abs(rows.astype(np.int64)).sum(axis=1)
    if (low, high) != (-128, 127) or not _in_range(reach, mult, io.y.q.zero_point, 2):
        return None
    # sums are doubled so that the high word of a product is the rounded multiplication
    scales = np.column_stack([2 * bias, mult[:, 0]]).astype(np.int32)
    cut = activation in (Activation.RELU, Activation.RELU6) and io.y.q.zero_point == -128
    stride = window.stride[0]
    pitch = io.y.shape[2] + 2 if stride == 1 else 2 * io.y.shape[2] + 1
    steps = _steps(io, stride, pitch)
    kernel = "edgec_depthwise_conv_2d_int8_3x3" + ("_stride2" if stride == 2 else "")
    taps = weights[0][[y for y, _ in _ORDER], [x for _, x in _ORDER]].T
    packed = np.column_stack([taps, -mult[:, 1]]).astype(np.int8)
    whole = steps * (2 if stride == 1 else 1) >= io.y.shape[1]
    return Step(
        kernel + ("_relu" if cut else ""),
        {
            "weights": Const(packed, "(in_ch, {9 taps, shift})"),
            "scales": Const(scales, "(in_ch, {twice the bias, multiplier})"),
            **_shape(io, window),
            "stride": stride,
            "pitch": pitch,
            "steps": steps,
        },
        scratch_bytes=_scratch(channels, steps, pitch),
        accesses=_accesses(io, window, steps),
        in_place=(0,) if whole else (),
        cost=Cost(
            _pairs_instructions(io, stride, steps, pitch, cut), packed.nbytes + scales.nbytes
        ),
    )


def _regular(window: Window) -> bool:
    """Return whether the window is the one the kernels are made for."""
    return window.kernel == (3, 3) and window.dilation == (1, 1) and max(window.before) <= 2


def _shape(io: Io, window: Window) -> dict[str, Value]:
    """Return the parameters that both kinds of kernels have."""
    return {
        **dict(zip(("batches", "in_h", "in_w", "in_ch"), io.x.shape, strict=True)),
        "out_h": io.y.shape[1],
        "out_w": io.y.shape[2],
        "pad_top": window.before[0],
        "pad_left": window.before[1],
        "in_zero_point": io.x.q.zero_point,
        "out_zero_point": io.y.q.zero_point,
    }


def _in_range(reach: Array, mult: Array, zero_point: int, factor: int) -> bool:
    """Return whether sums times `factor`, and rescaled with the zero point added, fit int32."""
    shifts = -mult[:, 1]
    if shifts.min() < 1 or shifts.max() > _MOST_SHIFT:
        return False
    nudge = (np.int64(1) << shifts) * (abs(zero_point) + 1)
    return bool((factor * reach < 2**31).all() and (reach + 1 + nudge < 2**31).all())


def _scratch(channels: int, steps: int, pitch: int) -> int:
    return 4 * min(channels, CHANNELS) * (steps + 1) * pitch


def _steps(io: Io, stride: int, pitch: int) -> int:
    """Return how many steps of output a band has: as many as the scratch allows, evenly."""
    total = -(-io.y.shape[1] // 2) if stride == 1 else io.y.shape[1]
    row = _scratch(io.x.shape[3], 0, pitch)
    most = max(1, min(total, SCRATCH_BYTES[stride] // row - 1))
    return -(-total // -(-total // most))


def _accesses(io: Io, window: Window, steps: int) -> Accesses:
    """Return the bytes read and written by each band of rows."""
    batches, high = io.y.shape[:2]
    in_high = io.x.shape[1]
    in_row = io.x.size_bytes // batches // in_high
    out_row = io.y.size_bytes // batches // high
    stride = window.stride[0]
    band = steps * (2 if stride == 1 else 1)
    stretches = []
    for batch in range(batches):
        for first in range(0, high, band):
            end = min(first + band, high)
            top = min(max(first * stride - window.before[0], 0), in_high)
            # whole rows of pairs are read: one row more than the last window may need
            bottom = min(max((end - 1) * stride - window.before[0] + 4, 0), in_high)
            reads = range((batch * in_high + top) * in_row, (batch * in_high + bottom) * in_row)
            writes = range((batch * high + first) * out_row, (batch * high + end) * out_row)
            stretches.append((reads, writes))
    return tuple(stretches)


def _plane_instructions(io: Io) -> int:
    """Return what was measured on a Cortex-M3."""
    batches, high, _, channels = io.y.shape
    return 55 * io.y.size + 7 * io.x.size + batches * channels * (25 * high + 100)


def _pairs_instructions(io: Io, stride: int, steps: int, pitch: int, cut: bool) -> int:
    """Return what was measured on a Cortex-M4, within 5 %: blocks, rows, calls, and the gathering.

    Without cutting off what is negative, every output takes two instructions more.
    """
    batches, high, wide, channels = io.y.shape
    block, odd, row, call = (55, 30, 21, 53) if stride == 1 else (33, 18, 18, 106)
    per_step = block * (wide // 2) + odd * (wide % 2) + row
    total = -(-high // 2) if stride == 1 else high
    bands = -(-total // steps)
    calls = bands + (high % 2 if stride == 1 else 0)
    made = channels * (total * per_step + calls * call) + (0 if cut else 2 * channels * high * wide)
    groups, rest = divmod(channels, CHANNELS)
    columns = min(io.x.shape[2], pitch)
    gathered = (total + bands) * (columns * (15 * groups + 13 * rest) + 69 * (groups + (rest > 0)))
    return batches * (made + gathered) + 3 * _scratch(channels, steps, pitch) // 4
