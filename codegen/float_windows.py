"""Float32 convolutions, depthwise and dense layers for vector units: their steps.

The kernels are `edgec_products_float32_vector<width>`, which multiply windows by panels of weights,
and `edgec_depthwise_conv_2d_float32_vector`. They read an image in strips, as those of int8 do.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgec.codegen.float_vectors import lanes, packed, packed_bias, panel_width
from edgec.codegen.products import bias_values
from edgec.codegen.quantmath import float_bounds
from edgec.codegen.registry import Accesses, Const, Cost, Io, Step, Value
from edgec.codegen.vector_image import STRIP_BYTES, Image
from edgec.codegen.window import Window
from edgec.pipeline.graph import Activation, Array, Tensor

_WIDEST = 16
"""Lanes of the widest vector of any machine: kernels are right on all."""


def convolution(
    io: Io, window: Window, activation: Activation, features: frozenset[str], macs: int
) -> Step:
    """Return the step of a float32 convolution of one group."""
    weights = io.input(1).values
    out_ch, kh, kw, in_ch = weights.shape
    rows = weights.reshape(out_ch, -1)
    if window.kernel == window.stride == (1, 1) and not window.padded:
        return dense(io, rows, activation, features, macs)
    image = Image.of(io.x, io.y, window, strip_bytes=max(STRIP_BYTES, rows.nbytes))
    whole = window.dilation[1] == 1 or kw == 1  # a row of the window is one run of floats
    runs = {
        "runs_h": kh,
        "runs_w": 1 if whole else kw,
        "run": kw * in_ch if whole else in_ch,
        "run_h": window.dilation[0] * image.pitch,
        "run_w": window.dilation[1] * in_ch,
    }
    direct = not window.padded and image.width == io.x.shape[2]
    slides = _image_fields(io.x, io.y.shape, image, direct=direct)
    accesses = window.accesses(io.x, io.y, rows=image.rows)
    scratch = 0 if direct else 4 * image.in_rows * image.pitch
    step = _products(io, rows, {**slides, **runs}, activation, features, macs)
    return replace(step, scratch_bytes=scratch, accesses=accesses)


def dense(io: Io, rows: Array, activation: Activation, features: frozenset[str], macs: int) -> Step:
    """Return the step of products of single pixels, weights (out, in): all are a column."""
    out_ch, depth = rows.shape
    pixels = io.x.size // depth
    x = replace(io.x, shape=(1, pixels, 1, depth), data=None)
    y = replace(io.y, shape=(1, pixels, 1, out_ch), data=None)
    strip_bytes = max(STRIP_BYTES, rows.nbytes)
    image = Image.of(x, y, Window((1, 1), (1, 1)), strip_bytes=strip_bytes)
    runs = {"runs_h": 1, "runs_w": 1, "run": depth, "run_h": 0, "run_w": 0}
    slides = _image_fields(x, y.shape, image, direct=True)
    step = _products(io, rows, {**slides, **runs}, activation, features, macs)
    return replace(step, accesses=_stretches(image.rows, pixels, 4 * depth, 4 * out_ch))


def depthwise(io: Io, window: Window, activation: Activation, features: frozenset[str]) -> Step:
    """Return the step of a depthwise float32 convolution without multiplier."""
    channels = io.x.shape[3]
    image = _depthwise_image(io, window)
    joined = 1 if image.step != channels else _joined(io.y.shape[2], channels, lanes(features))
    filled = -(-joined * channels // _WIDEST) * _WIDEST
    over = (0, filled - joined * channels)
    taps = np.tile(io.input(1).values.reshape(*window.kernel, channels), (1, 1, joined))
    bias = np.tile(bias_values(io.optional(2), channels), joined)
    direct = not window.padded and image.width == io.x.shape[2] and not over[1]
    shape = (*io.y.shape[:2], io.y.shape[2] // joined)
    low, high = float_bounds(activation)
    taps = np.pad(taps, ((0, 0), (0, 0), over)).astype(np.float32)
    return Step(
        "edgec_depthwise_conv_2d_float32_vector",
        {
            **_image_fields(io.x, shape, image, direct=direct, joined=joined),
            "weights": Const(taps, "(kernel_h, kernel_w, lanes)"),
            "bias": Const(np.pad(bias, over).astype(np.float32), "(lanes)"),
            "kernel_h": window.kernel[0],
            "kernel_w": window.kernel[1],
            "tap_h": window.dilation[0] * image.pitch,
            "tap_w": window.dilation[1] * channels,
            "joined": joined * channels,
            "lanes": filled,
            "out_min": low,
            "out_max": high,
        },
        scratch_bytes=0 if direct else 4 * (image.in_rows * image.pitch + filled),
        accesses=window.accesses(io.x, io.y, rows=image.rows),
        cost=Cost(io.y.size * len(taps) * taps.shape[1] // 4 + 1, taps.nbytes),
    )


def _depthwise_image(io: Io, window: Window) -> Image:
    """Return an image that leaves the first cache some room, if it takes more than one strip."""
    image = Image.of(io.x, io.y, window)
    if image.rows == io.y.shape[1]:
        return image
    return Image.of(io.x, io.y, window, strip_bytes=STRIP_BYTES // 2)


def _products(
    io: Io,
    rows: Array,
    fields: dict[str, Value],
    activation: Activation,
    features: frozenset[str],
    macs: int,
) -> Step:
    """Return the step of the kernel for panels; weights are (out, in)."""
    width = panel_width(features, len(rows))
    panels = packed(rows.T, width)
    low, high = float_bounds(activation)
    return Step(
        f"edgec_products_float32_vector{width}",
        {
            **fields,
            "weights": Const(panels, f"(panels, depth, {width})"),
            "bias": packed_bias(bias_values(io.optional(2), len(rows)), width),
            "out_ch": len(rows),
            "out_min": low,
            "out_max": high,
        },
        scratch_bytes=0,
        cost=Cost(macs // width + 1, panels.nbytes),
    )


def _image_fields(
    x: Tensor, made: tuple[int, ...], image: Image, *, direct: bool, joined: int = 1
) -> dict[str, Value]:
    """Return the fields of `edgec_float32_image`; `made` begins with batches, rows, windows."""
    values = {
        **dict(zip(("batches", "in_h", "in_w", "channels"), x.shape, strict=True)),
        "pad_top": image.window.before[0],
        "pad_left": image.window.before[1],
        "width": image.width,
        "out_h": made[1],
        "out_w": made[2],
        "stride_h": image.window.stride[0],
        "step": joined * image.step,
        "reach": image.reach,
        "strip_rows": image.rows,
        "direct": int(direct),
    }
    return {f"image.{name}": value for name, value in values.items()}


def _joined(out_w: int, channels: int, count: int) -> int:
    """Return how many pixels of a row to count as one, so that few of `count` lanes stay empty."""

    def vectors(pixels: int) -> int:
        return out_w // pixels * -(-pixels * channels // count)

    most = max(4 * _WIDEST // channels, 1)
    fitting = [n for n in range(1, min(out_w, most) + 1) if out_w % n == 0]
    return min(fitting, key=lambda pixels: (vectors(pixels), pixels))


def _stretches(rows: int, pixels: int, in_bytes: int, out_bytes: int) -> Accesses:
    """Return the accesses of a kernel that makes `rows` pixels at a time."""
    parts = [(n, min(n + rows, pixels)) for n in range(0, pixels, rows)]
    return tuple(
        (range(a * in_bytes, b * in_bytes), range(a * out_bytes, b * out_bytes)) for a, b in parts
    )
