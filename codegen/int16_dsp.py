"""Products of int16 with int8 weights for cores with SMLAD: when sums fit 32 bits, and packing.

The rescaling is in `kernels/edgec_sum16_dsp.h`, the layouts of weights in the kernels' headers.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgec.codegen.exact_scaling import exact_factor
from edgec.codegen.int16_products import Rows, Scaling, finish
from edgec.codegen.quantmath import activation_range, reduced_multiplier
from edgec.codegen.registry import Const, Cost, Io, Step, Value
from edgec.codegen.window import Window
from edgec.pipeline.graph import Activation, Array, Tensor

_BLOCK, _DENSE_BLOCK = 4, 8
_ROW_BYTES = 9
"""Flash of a channel beside its weights: start, scale, shift."""
_HALF = 1 << 30


def convolution(io: Io, rows: Rows, window: Window, activation: Activation) -> tuple[Step, ...]:
    """Return the kernel that makes 4 channels of 2 pixels at a time, if it applies."""
    depth = rows.weights.shape[1]
    if io.x.shape[3] != io.input(1).shape[3]:
        return ()
    short = _short(rows, io.y, activation)
    if short is None:
        return ()
    padded = -(-depth // 4) * 4
    packed = _pairs_of_rows(short.weights, padded, _BLOCK)
    pixels = io.y.size // len(rows.weights)
    blocks = -(-len(rows.weights) // _BLOCK)
    taps = window.kernel[0] * (1 if window.dilation[1] == 1 else window.kernel[1])
    gather = 2 * (40 + taps * 30 + depth * 5 // 4)
    pair = gather + blocks * (30 * padded // 4 + 250)
    step = Step(
        "edgec_conv_2d_int16_dsp",
        {
            "weights": Const(packed, "(out_ch / 4, depth / 2, 2)"),
            **_scaling(short, _BLOCK),
            "depth": padded,
            **dict(zip(("batches", "in_h", "in_w", "in_ch"), io.x.shape, strict=True)),
            **dict(zip(("out_h", "out_w", "out_ch"), io.y.shape[1:], strict=True)),
            **window.fields,
            **_bounds(io.y, activation),
        },
        scratch_bytes=4 * padded,
        # pixels are made in pairs, which straddle two rows where these are odd
        accesses=window.accesses(io.x, io.y, rows=1 + io.y.shape[2] % 2),
        cost=Cost(-(-pixels // 2) * pair, packed.nbytes + _ROW_BYTES * blocks * _BLOCK),
    )
    return (step,)


def depthwise(io: Io, rows: Rows, window: Window, activation: Activation) -> tuple[Step, ...]:
    """Return the kernel that makes 4 channels at a time, if it applies."""
    channels, taps = rows.weights.shape
    if io.x.shape[3] != channels or channels < _BLOCK:
        return ()
    short = _short(rows, io.y, activation)
    if short is None:
        return ()
    # the last block ends with the last channel, whichever it begins with
    starts = np.minimum(np.arange(0, channels, _BLOCK), channels - _BLOCK)
    order = (starts[:, None] + np.arange(_BLOCK)).reshape(-1)
    blocks = replace(
        short,
        weights=short.weights[order],
        bias=short.bias[order],
        multipliers=short.multipliers[order],
    )
    groups = blocks.weights.reshape(-1, _BLOCK, taps).transpose(0, 2, 1)[..., (0, 2, 1, 3)]
    values = np.ascontiguousarray(groups).astype(np.int8)
    step = Step(
        "edgec_depthwise_conv_2d_int16_dsp",
        {
            "weights": Const(values, "(blocks, kh, kw, 4)"),
            **_scaling(blocks, _BLOCK),
            **dict(zip(("batches", "in_h", "in_w", "channels"), io.x.shape, strict=True)),
            "out_h": io.y.shape[1],
            "out_w": io.y.shape[2],
            **window.fields,
            **_bounds(io.y, activation),
        },
        accesses=window.accesses(io.x, io.y),
        cost=Cost(io.y.size * (35 + 3 * taps), values.nbytes + _ROW_BYTES * len(order)),
    )
    return (step,)


def dense(io: Io, rows: Rows, activation: Activation) -> tuple[Step, ...]:
    """Return the kernel that makes 8 rows at a time, if it applies."""
    out, size = io.input(1).shape
    scaling = _real(rows, io.y, activation)
    if scaling is None:
        return ()
    short, fields = scaling
    packed = _pairs_of_rows(short.weights, size + size % 2, _DENSE_BLOCK)
    blocks = -(-out // _DENSE_BLOCK)
    batches = io.x.size // size
    step = Step(
        "edgec_fully_connected_int16_dsp",
        {
            "weights": Const(packed, "(blocks, in_size / 2, 4)"),
            **fields,
            "batches": batches,
            "in_size": size,
            "out_size": out,
            **_bounds(io.y, activation),
        },
        cost=Cost(
            batches * blocks * (20 * packed.size // (4 * blocks) + 280),
            packed.nbytes + blocks * _DENSE_BLOCK * 4 + out * (_ROW_BYTES if fields["low"] is None
                                                               else _ROW_BYTES + 4),
        ),
    )  # fmt: skip
    return (step,)


def _bounds(y: Tensor, activation: Activation) -> dict[str, Value]:
    low, high = activation_range(activation, y)
    return {"out_min": low, "out_max": high}


def _scaling(rows: Rows, block: int) -> dict[str, Value]:
    """Return starts, scales and shifts, in whole blocks."""
    more = -len(rows.weights) % block
    scales = reduced_multiplier(rows.multipliers[:, 0]) << 16
    shifts = -2 - rows.multipliers[:, 1]
    return {
        "starts": Const(np.pad(rows.bias, (0, more)).astype(np.int32), "(out_ch)"),
        "scales": Const(np.pad(scales, (0, more)).astype(np.int32), "(out_ch)"),
        "shifts": Const(np.pad(shifts, (0, more)).astype(np.uint8), "(out_ch)"),
    }


def _real(rows: Rows, y: Tensor, activation: Activation) -> tuple[Rows, dict[str, Value]] | None:
    """Return a dense layer's channels and the kernel's scaling; None if it cannot do it."""
    count = len(rows.weights)
    starts = Const(np.pad(rows.bias, (0, -count % _DENSE_BLOCK)).astype(np.int32), "(out_size)")
    if rows.scaling is not Scaling.REAL:
        short = _short(rows, y, activation)
        if short is None:
            return None
        fields = _scaling(short, _DENSE_BLOCK)
        found = {"starts": fields["starts"], "high": fields["scales"], "low": None}
        return short, {**found, "shifts": fields["shifts"]}
    if np.any(rows.reach >= 1 << 31):
        return None
    factors = [
        exact_factor(float(scale), int(most))
        for scale, most in zip(rows.multipliers[:, 0], rows.reach, strict=True)
    ]
    known = [factor for factor in factors if factor is not None]
    if len(known) < count:
        return None
    return rows, {
        "starts": starts,
        "high": Const(np.array([f.high for f in known], np.int32), "(out_size)"),
        "low": Const(np.array([f.low for f in known], np.int32), "(out_size)"),
        "shifts": Const(np.array([f.shift - 1 for f in known], np.uint8), "(out_size)"),
    }


def _short(rows: Rows, y: Tensor, activation: Activation) -> Rows | None:
    """Return the rows as the kernels can rescale them; None if they cannot.

    Rows that always give the same output become sums of nothing that give it.
    """
    if rows.scaling is not Scaling.REDUCED:
        return None
    fits = _fit(rows)
    if not fits.all():
        ends = [
            finish(sign * (rows.reach - np.abs(rows.bias)), rows, y, activation).astype(np.int64)
            for sign in (-1, 1)
        ]
        same = (ends[0] == ends[1]) & ~fits
        rows = replace(
            rows,
            weights=np.where(same[:, None], 0, rows.weights),
            bias=np.where(same, 8 * ends[0], rows.bias),
            multipliers=np.where(same[:, None], [_HALF, -2], rows.multipliers),
        )
    return rows if _fit(rows).all() else None


def _fit(rows: Rows) -> Array:
    """Return which rows have sums of 32 bits and a multiplier below a quarter."""
    shifts = -1 - rows.multipliers[:, 1]
    return np.asarray((rows.reach < 1 << 31) & (shifts >= 1) & (shifts <= 30))


def _pairs_of_rows(weights: Array, depth: int, block: int) -> Array:
    """Return weights as words of two rows and two products, (blocks, depth / 2, block / 2)."""
    count, own = weights.shape
    whole = np.pad(weights, ((0, -count % block), (0, depth - own))).astype(np.int8)
    # (block, word, row of the word, pair, product) -> (block, pair, word, product, row)
    split = whole.reshape(-1, block // 2, 2, depth // 2, 2).transpose(0, 3, 1, 4, 2)
    groups = np.ascontiguousarray(split).reshape(*split.shape[:3], 4)
    return groups.view(np.int32)[..., 0]
