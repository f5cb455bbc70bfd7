"""Dense int8 products for cores with MVE: when the kernels apply, and their parameters.

The kernels are `edgec_conv_2d_int8_mve` and `edgec_fully_connected_int8_mve`, over
`edgec_mve_products`. Weights stay as the file has them; what a channel is rescaled by takes nine
bytes instead of twelve, so that these kernels also have the least flash.
"""

from __future__ import annotations

import numpy as np

from edgec.codegen import products
from edgec.codegen.quantmath import activation_range
from edgec.codegen.registry import Const, Cost, Io, Step, Value
from edgec.codegen.window import Window
from edgec.pipeline.graph import Activation, Array

_LANES = 16
_SUMS = 48
"""Channels that are summed up before they are rescaled."""
_ROW_BYTES = 9
"""Flash of a channel beside its weights: bias, multiplier, shift."""


def convolution(io: Io, window: Window, activation: Activation) -> Step | None:
    """Return the call of the kernel for a convolution, None where it does not apply."""
    weights = io.input(1)
    out_ch, _, _, depth = weights.shape
    if depth != io.x.shape[3]:
        return None
    rows = weights.values.reshape(out_ch, -1)
    mult = products.channel_multipliers(io.x, weights, io.y, out_ch)
    fields = _rows(io, rows, mult, activation, single=False)
    if fields is None:
        return None
    pointwise = window.kernel == (1, 1) and not window.padded
    pixels = io.y.size // out_ch
    run_turns = -(-window.kernel[1] * depth // _LANES)
    gather = 0 if pointwise else 50 + window.kernel[0] * (15 + 3 * run_turns)
    pair = 2 * gather + _pair_instructions(out_ch, rows.shape[1])
    return Step(
        "edgec_conv_2d_int8_mve",
        {
            **fields,
            **dict(zip(("batches", "in_h", "in_w", "in_ch"), io.x.shape, strict=True)),
            **dict(zip(("out_h", "out_w"), io.y.shape[1:3], strict=True)),
            **window.fields,
            "in_zero_point": io.x.q.zero_point,
        },
        scratch_bytes=0 if pointwise else 2 * rows.shape[1],
        # pixels are made in pairs, which straddle two rows where these are odd
        accesses=window.accesses(io.x, io.y, rows=1 + io.y.shape[2] % 2),
        cost=Cost(-(-pixels // 2) * pair, rows.size + _ROW_BYTES * out_ch),
    )


def fully_connected(
    io: Io, multipliers: Array, activation: Activation, *, single: bool
) -> Step | None:
    """Return the call of the kernel for a dense layer, None where it does not apply."""
    rows = io.input(1).values
    out, size = rows.shape
    fields = _rows(io, rows, multipliers, activation, single=single)
    if fields is None:
        return None
    batches = io.x.size // size
    block = 10 * -(-size // _LANES) + 25
    return Step(
        "edgec_fully_connected_int8_mve",
        {**fields, "batches": batches, "single_rounding": int(single)},
        cost=Cost(batches * (100 + -(-out // 4) * (block + 13)), rows.size + _ROW_BYTES * out),
    )


def _pair_instructions(out_ch: int, depth: int) -> int:
    """Return what all channels of two pixels take: the loops' lengths, the rest fitted."""
    turns = -(-depth // _LANES)
    groups, (threes, ones) = -(-out_ch // _SUMS), divmod(out_ch, 3)
    sums = threes * (12 * turns + 22) + ones * (6 * turns + 25)
    return 60 + 74 * groups + sums + 23 * -(-out_ch // 4)


def _rows(
    io: Io, rows: Array, multipliers: Array, activation: Activation, *, single: bool
) -> dict[str, Value] | None:
    """Return the fields of `edgec_mve_rows`; None if a channel is not rescaled downwards."""
    shifts = multipliers[:, 1]
    if shifts.max() > (-1 if single else 0) or shifts.min() < -31:
        return None
    low, high = activation_range(activation, io.y)
    bias = products.folded_bias(io.x, rows, io.optional(2))
    return {
        "rows.weights": Const(rows, "(out_ch, products)"),
        "rows.biases": Const(bias.astype(np.int32), "(out_ch)"),
        "rows.multipliers": Const(multipliers[:, 0].astype(np.int32), "(out_ch)"),
        "rows.shifts": Const(shifts.astype(np.int8), "(out_ch)"),
        "rows.depth": rows.shape[1],
        "rows.rows": len(rows),
        "rows.out_zero_point": io.y.q.zero_point,
        "rows.out_min": low,
        "rows.out_max": high,
    }
