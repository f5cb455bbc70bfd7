"""Dense int8 products for NEON, AVX2 and AVX-512: when the kernels apply, and their parameters.

The kernels are `edgec_conv_2d_int8_vector` and `edgec_fully_connected_int8_vector`, over
`edgec_vector_products`. Weights lie in sets of 16 channels by 4 products.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from edgec.codegen import products
from edgec.codegen.quantmath import activation_range
from edgec.codegen.registry import Accesses, Const, Cost, Io, Step, Value
from edgec.codegen.vector_image import (
    LANES,
    QUAD,
    Image,
    Rescaling,
    channel_sets,
    ends,
    set_quads,
)
from edgec.codegen.window import Window
from edgec.pipeline.graph import Activation, Array, Tensor


def convolution(io: Io, window: Window, activation: Activation) -> Step | None:
    """Return the call of the kernel for a convolution, None where it does not apply."""
    weights = io.input(1)
    out_ch, kh, kw, depth = weights.shape
    if depth != io.x.shape[3]:
        return None
    mult = products.channel_multipliers(io.x, weights, io.y, out_ch)
    if window.kernel == window.stride == (1, 1) and not window.padded:
        rows = weights.values.reshape(out_ch, depth)
        return _pixels(io, rows, mult, activation, "edgec_conv_2d_int8_vector", single=False)
    image = Image.of(io.x, io.y, window)
    whole = window.dilation[1] == 1 or kw == 1  # a row of the window is one run of bytes
    run = kw * depth if whole else depth
    runs = [image.offset(i, j) for i in range(kh) for j in range(1 if whole else kw)]
    fields = _rows(io, weights.values.reshape(out_ch, -1), run, runs, mult)
    if fields is None:
        return None
    plain = not window.padded and run % QUAD == 0
    return _step(
        io,
        "edgec_conv_2d_int8_vector",
        image,
        fields,
        (io.y.shape[0], io.y.shape[1], io.y.shape[2]),
        window.accesses(io.x, io.y, rows=image.rows),
        activation_range(activation, io.y),
        direct=plain and image.width == io.x.shape[2],
        single=False,
    )


def fully_connected(
    io: Io, multipliers: Array, activation: Activation, *, single: bool
) -> Step | None:
    """Return the call of the kernel for a dense layer, None where it does not apply."""
    name = "edgec_fully_connected_int8_vector"
    return _pixels(io, io.input(1).values, multipliers, activation, name, single=single)


def _pixels(
    io: Io, rows: Array, multipliers: Array, activation: Activation, kernel: str, *, single: bool
) -> Step | None:
    """Return the call for products of single pixels: all are a column of one image."""
    out_ch, depth = rows.shape
    pixels = io.x.size // depth
    x = replace(io.x, shape=(1, pixels, 1, depth), data=None)
    y = replace(io.y, shape=(1, pixels, 1, out_ch), data=None)
    image = Image.of(x, y, Window((1, 1), (1, 1)))
    fields = _rows(io, rows, depth, [0], multipliers)
    if fields is None:
        return None
    stretches = [(n, min(n + image.rows, pixels)) for n in range(0, pixels, image.rows)]
    accesses = tuple(
        (range(a * depth, b * depth), range(a * out_ch, b * out_ch)) for a, b in stretches
    )
    direct = depth % QUAD == 0
    narrow = Io((x, *io.inputs[1:]), (y,))
    limits = activation_range(activation, io.y)
    return _step(
        narrow,
        kernel,
        image,
        fields,
        (1, pixels, 1),
        accesses,
        limits,
        direct=direct,
        single=single,
    )


def _rows(
    io: Io, rows: Array, run: int, runs: list[int], multipliers: Array
) -> Mapping[str, Value] | None:
    """Return the fields of weights and channels, None where they do not fit.

    A pixel is runs of bytes, each of which is filled up to whole quads.
    """
    if rows.min(initial=0) == -128:  # its negative is no int8
        return None
    reach = products.row_reach(io.x, rows, io.optional(2))
    starts = products.folded_bias(io.x, rows, io.optional(2))
    sums = rows.astype(np.int64).sum(axis=1)
    fields = Rescaling(starts, sums, reach, multipliers, io.y.q.zero_point).channels()
    if fields is None:
        return None
    out_ch = len(rows)
    packed = set_quads(rows.reshape(out_ch, len(runs), run))
    offsets = np.array([at + i for at in runs for i in range(0, run, QUAD)], np.int32)
    return {
        "rows.weights": Const(packed, "(out_ch / 16, quads, 16, 4)"),
        "rows.channels": Const(channel_sets(fields), "(out_ch / 16, 5 fields, 16)"),
        "rows.quads": Const(offsets, "(quads)"),
        "rows.quad_count": len(offsets),
        "rows.out_ch": out_ch,
    }


def _step(
    io: Io,
    kernel: str,
    image: Image,
    fields: Mapping[str, Value],
    made: tuple[int, int, int],
    accesses: Accesses,
    limits: tuple[int, int],
    *,
    direct: bool,
    single: bool,
) -> Step:
    batches, out_h, out_w = made
    x: Tensor = io.x
    sets = -(-io.y.shape[3] // LANES)
    quads = fields["rows.quad_count"]
    assert isinstance(quads, int)
    consts = [value.data.nbytes for value in fields.values() if isinstance(value, Const)]
    pixels = batches * out_h * out_w
    copied = -(-batches * out_h // image.rows) * image.in_rows * image.pitch
    return Step(
        kernel,
        {
            **image.fields(x, "rows."),
            **fields,
            "rows.batches": batches,
            "rows.out_h": out_h,
            "rows.out_w": out_w,
            "rows.pixel_bytes": image.step,
            "rows.direct": int(direct),
            **ends(*limits, single=single, prefix="rows."),
        },
        scratch_bytes=image.size(),
        accesses=accesses,
        cost=Cost(100 + pixels * (sets * (quads + 20) + 5) + copied // 16, sum(consts)),
    )
