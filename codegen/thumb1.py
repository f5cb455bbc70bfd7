"""int8 products for cores with 16-bit instructions only (Armv6-M): unsigned bytes, four rows."""

from __future__ import annotations

import numpy as np

from edgec.codegen import products
from edgec.codegen.quantmath import activation_range
from edgec.codegen.registry import Const, Cost, Io, Step
from edgec.codegen.window import Window
from edgec.pipeline.graph import Activation

FEATURE = "thumb1"
_ROWS = 4


def conv_step(io: Io, window: Window, activation: Activation) -> Step:
    """Return the convolution of one group; the formula is in the kernel's header."""
    weights = io.input(1).values
    out_ch = len(weights)
    rows = weights.reshape(out_ch, -1).astype(np.int64)
    depth = -(-rows.shape[1] // 4) * 4
    padded = np.zeros((-(-out_ch // _ROWS) * _ROWS, depth), np.uint8)
    padded[:out_ch, : rows.shape[1]] = (rows + 128).astype(np.uint8)
    packed = padded.reshape(-1, _ROWS, depth).transpose(0, 2, 1)
    bias = products.folded_bias(io.x, rows, io.optional(2)) - 128 * rows.sum(axis=1)
    wrapped = bias.astype(np.uint64).astype(np.uint32).view(np.int32)
    mult = products.channel_multipliers(io.x, io.input(1), io.y, out_ch)
    low, high = activation_range(activation, io.y)
    stream = products.channel_stream(wrapped, mult)
    taps, products_each = window.kernel[0] * window.kernel[1], rows.shape[1]
    blocks = len(packed) * (56 + 14 * depth)
    pixel = 67 + 39 * taps + 73 * products_each // 10 + 76 * out_ch + blocks
    instructions = io.y.size // out_ch * pixel  # fitted to counts on a Cortex-M0+
    return Step(
        "edgec_conv_2d_int8_thumb1",
        {
            "weights": Const(np.ascontiguousarray(packed), "(out_ch / 4, depth, 4), plus 128"),
            "channels": stream,
            **dict(zip(("batches", "in_h", "in_w", "in_ch"), io.x.shape, strict=True)),
            **dict(zip(("out_h", "out_w", "out_ch"), io.y.shape[1:], strict=True)),
            "depth": depth,
            **window.fields,
            "in_zero_point": io.x.q.zero_point,
            "out_zero_point": io.y.q.zero_point,
            "out_min": low,
            "out_max": high,
        },
        scratch_bytes=depth,
        accesses=window.accesses(io.x, io.y),
        cost=Cost(instructions, packed.nbytes + stream.data.nbytes),
    )
