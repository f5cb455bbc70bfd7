"""Depthwise 3x3 int8 products for cores with MVE: when the kernel applies, and its packing.

The kernel is `edgec_depthwise_conv_2d_int8_mve`; its header describes the stream.
"""

from __future__ import annotations

import numpy as np

from edgec.codegen import products
from edgec.codegen.quantmath import activation_range
from edgec.codegen.registry import Const, Cost, Io, Step
from edgec.codegen.window import Window
from edgec.pipeline.graph import Activation, Array

_LANES = 16
_VECTORS = (0, 2, 1, 3)
"""The first channel of each vector of sums, whose lanes are every fourth from there on."""
_GROUP_INSTRUCTIONS = 148
_PIXEL_INSTRUCTIONS, _BORDER_INSTRUCTIONS = 52, 147
"""Fitted to counts on an emulated Cortex-M55: pixels at the border take more."""


def step(io: Io, window: Window, activation: Activation) -> Step | None:
    """Return the call of the kernel for this layer, None where it does not apply."""
    weights = io.input(1).values
    channels = io.x.shape[3]
    if window.kernel != (3, 3) or weights.shape[3] != channels:
        return None
    taps = weights.reshape(9, channels).astype(np.int64)
    mult = products.channel_multipliers(io.x, io.input(1), io.y, channels)
    pairs = np.abs(taps[0:8:2]) + np.abs(taps[1:8:2])
    if mult[:, 1].max() > 0 or mult[:, 1].min() < -31 or pairs.max() > 255:
        return None
    stream = _stream(taps, products.folded_bias(io.x, taps.T, io.optional(2)), mult)
    low, high = activation_range(activation, io.y)
    border = int(_BORDER_INSTRUCTIONS * (1 - window.inside_share(io.x, io.y)))
    pixel = _PIXEL_INSTRUCTIONS + border + _GROUP_INSTRUCTIONS * len(stream)
    return Step(
        "edgec_depthwise_conv_2d_int8_mve",
        {
            "stream": Const(stream, "(channels / 16, {biases, weights, scales})"),
            **dict(zip(("batches", "in_h", "in_w", "channels"), io.x.shape, strict=True)),
            "out_h": io.y.shape[1],
            "out_w": io.y.shape[2],
            **{n: v for n, v in window.fields.items() if not n.startswith("kernel")},
            "in_zero_point": io.x.q.zero_point,
            "out_zero_point": io.y.q.zero_point,
            "out_min": low,
            "out_max": high,
        },
        scratch_bytes=channels if window.padded else 0,
        accesses=window.accesses(io.x, io.y),
        cost=Cost(130 + io.y.size // channels * pixel, stream.nbytes),
    )


def _stream(taps: Array, bias: Array, multipliers: Array) -> Array:
    """Return the words of every group of 16 channels, filled up with channels of nothing."""
    more = -taps.shape[1] % _LANES
    weights = np.pad(taps, ((0, 0), (0, more))).astype(np.int8)
    groups = weights.shape[1] // _LANES
    by_group = np.ascontiguousarray(weights.reshape(9, groups, _LANES).transpose(1, 0, 2))
    words = by_group.reshape(groups, -1).view(np.int32)
    starts = _by_vector(np.pad(bias, (0, more)))
    factors = _by_vector(np.pad(multipliers[:, 0], (0, more)))
    shifts = _by_vector(np.pad(multipliers[:, 1], (0, more)))
    scales = np.concatenate([factors, shifts], axis=2)
    parts = [starts.reshape(groups, -1), words, scales.reshape(groups, -1)]
    return np.concatenate([part.astype(np.int32) for part in parts], axis=1)


def _by_vector(values: Array) -> Array:
    """Return one value a channel as (groups, 4 vectors, 4 lanes)."""
    lanes = values.reshape(-1, 4, 4)[:, :, list(_VECTORS)]
    return np.asarray(lanes.transpose(0, 2, 1))
