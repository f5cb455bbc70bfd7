"""int8 products for cores with 32-bit Thumb, but no SIMD (Armv7-M): 4 channels of 2 pixels."""

from __future__ import annotations

import numpy as np

from edgec.codegen import products
from edgec.codegen.dsp_products import Rows, rescaled_rows, whole_blocks
from edgec.codegen.quantmath import activation_range
from edgec.codegen.registry import Const, Cost, Io, Step
from edgec.codegen.window import Window
from edgec.pipeline.graph import Activation

FEATURE = "thumb2"
_ROWS = 4
_TAPS = 4
"""Products of a row that the kernel's loop takes at a time."""


def conv_step(io: Io, window: Window, activation: Activation) -> Step | None:
    """Return the convolution of one group; None if a row's range does not allow it."""
    weights = io.input(1).values
    out_ch = len(weights)
    plain = weights.reshape(out_ch, -1).astype(np.int64)
    padded = np.pad(plain, ((0, 0), (0, -plain.shape[1] % _TAPS)))
    bias = products.folded_bias(io.x, plain, io.optional(2))
    mult = products.channel_multipliers(io.x, io.input(1), io.y, out_ch)
    found = rescaled_rows(whole_blocks(Rows(padded, bias, mult), _ROWS), io.y, activation)
    if found is None:
        return None
    rows, scales = found
    depth = rows.weights.shape[1]
    packed = rows.weights.reshape(-1, _ROWS, depth).transpose(0, 2, 1).astype(np.int8)
    starts = rows.bias.reshape(-1, _ROWS)
    stream = np.concatenate([starts, scales.reshape(-1, 2 * _ROWS)], axis=1).astype(np.int32)
    low, high = activation_range(activation, io.y)
    return Step(
        "edgec_conv_2d_int8_thumb2",
        {
            "weights": Const(np.ascontiguousarray(packed), "(out_ch / 4, depth, 4)"),
            "channels": Const(stream, "(out_ch / 4, {4 biases, 4 {scale, finish}})"),
            **dict(zip(("batches", "in_h", "in_w", "in_ch"), io.x.shape, strict=True)),
            **dict(zip(("out_h", "out_w", "out_ch"), io.y.shape[1:], strict=True)),
            "depth": depth,
            **window.fields,
            "in_zero_point": io.x.q.zero_point,
            "out_min": low,
            "out_max": high,
        },
        scratch_bytes=2 * depth,
        # pixels are made in pairs, which straddle two rows where these are odd
        accesses=window.accesses(io.x, io.y, rows=1 + io.y.shape[2] % 2),
        cost=Cost(_instructions(io, window, depth), packed.nbytes + stream.nbytes),
    )


def _instructions(io: Io, window: Window, depth: int) -> int:
    """Return what the kernel takes: its loops' lengths, the rest fitted on a Cortex-M3."""
    out_ch, kh, kw, in_ch = io.input(1).shape
    blocks = -(-out_ch // _ROWS) * (59 * depth // _TAPS + 121) + 75 * (out_ch % _ROWS > 0)
    inside = window.inside_share(io.x, io.y)
    runs = int(inside * 55 * kh + (1 - inside) * 26 * kh * kw)
    gather = 67 + runs + 3 * kh * kw * in_ch
    return -(-io.y.size // out_ch // 2) * (blocks + 2 * gather)
