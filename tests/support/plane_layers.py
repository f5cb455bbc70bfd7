"""Random depthwise, sum and pooling layers for cores with SIMD: odd sizes, extremes."""

from __future__ import annotations

import math

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import SCALES, SEEDS, ZERO_POINTS
from tests.support.flatmodel import FlatModel

ACTIVATIONS = st.sampled_from((0, 1, 1, 2, 3))


def _weights(draw, shape: tuple[int, ...]) -> np.ndarray:
    """Mostly random; also channels of nothing, and of all extremes of one sign."""
    rng = np.random.default_rng(draw(SEEDS))
    data = rng.integers(-127, 128, shape)
    kind = draw(st.integers(0, 7))
    if kind == 0:
        data[:] = draw(st.sampled_from((-128, -127, 127)))
    elif kind == 1:
        data[..., rng.integers(0, 2, shape[3]) == 0] = 0
    elif kind == 2:
        data[rng.integers(0, 4, shape) == 0] = -128
    elif kind == 3:
        data //= 40
    return data.astype(np.int8)


def _output_sides(sides, kernel, stride, padding) -> list[int]:
    return [
        -(-n // s) if padding == 0 else math.ceil((n - k + 1) / s)
        for n, k, s in zip(sides, kernel, stride, strict=True)
    ]


def add_depthwise(draw, model, most: int = 14, dilations: tuple[int, ...] = (1,)) -> None:
    """Add a depthwise convolution of up to `most` channels, mostly 3x3 with stride 1 or 2."""
    kh, kw = draw(st.sampled_from(((3, 3),) * 7 + ((1, 3), (5, 4), (2, 2))))
    sh, sw = draw(st.sampled_from(((1, 1),) * 4 + ((2, 2),) * 4 + ((1, 2), (3, 3))))
    padding, batch = draw(st.integers(0, 1)), draw(st.sampled_from((1, 1, 1, 2)))
    side = st.one_of(st.integers(1, 12), st.sampled_from((1, 2, 3)))
    dilation = draw(st.sampled_from(dilations))
    reach = [(n - 1) * dilation + 1 for n in (kh, kw)]
    h, w = (max(draw(side), n if padding else 1) for n in reach)
    if draw(st.integers(0, 5)) == 0:
        w = draw(st.sampled_from((40, 61)))  # bands of a few rows
    depth, times = draw(st.integers(1, most)), draw(st.sampled_from((1,) * 9 + (2,)))
    out_ch = depth * times
    x_scale, size = draw(SCALES), draw(st.sampled_from((1, 100, 5000, 2**20)))
    near = st.floats(0.1, 0.5).map(lambda s: float(np.float32(s)))
    scales = [draw(near) for _ in range(out_ch if draw(st.booleans()) else 1)]
    spread = 3.0 * 2.0 ** draw(st.floats(-1.0, 8.0))
    y_scale = max(float(np.float32(x_scale * max(scales) * spread)), 1e-6)
    if draw(st.integers(0, 9)) == 0:
        scales[0] = 1e-9
    x = model.input((batch, h, w, depth), "int8", x_scale, draw(ZERO_POINTS))
    shape = (1, kh, kw, out_ch)
    weights = model.tensor(shape, "int8", scales, axis=3, data=_weights(draw, shape))
    bias = np.random.default_rng(draw(SEEDS)).integers(-size, size + 1, out_ch)
    inputs = [x, weights, model.tensor((out_ch,), "int32", data=bias.astype(np.int32))]
    out = _output_sides((h, w), reach, (sh, sw), padding)
    activation = draw(st.sampled_from((0,) * 4 + (1,) * 4 + (2, 3)))
    zero = -128 if activation == 1 and draw(st.integers(0, 4)) else draw(ZERO_POINTS)
    y = model.output((batch, *out, out_ch), "int8", y_scale, zero)
    options = schema.DepthwiseConv2DOptionsT()
    options.padding, options.depthMultiplier = padding, times
    options.strideH, options.strideW = sh, sw
    options.dilationHFactor = options.dilationWFactor = dilation
    options.fusedActivationFunction = activation
    model.op("DEPTHWISE_CONV_2D", inputs[: 3 if draw(st.integers(0, 3)) else 2], [y], options)


def add_sum(draw, model) -> None:
    """Add a sum of two tensors of one shape; scales may be far apart, and saturate."""
    shape = draw(st.lists(st.integers(1, 9), min_size=1, max_size=4).map(tuple))
    first = draw(SCALES)
    near = st.one_of(st.floats(-3.9, 3.9), st.floats(-9.0, 9.0), st.just(0.0))
    scales = [float(np.float32(first * 2.0 ** draw(near))) for _ in range(2)]
    a = model.input(shape, "int8", first, draw(ZERO_POINTS))
    b = model.input(shape, "int8", scales[0], draw(ZERO_POINTS))
    activation = draw(st.sampled_from((0, 0, 1, 1, 2, 3)))
    zero = -128 if activation == 1 and draw(st.integers(0, 4)) else draw(ZERO_POINTS)
    y = model.output(shape, "int8", scales[1], zero)
    options = schema.AddOptionsT()
    options.fusedActivationFunction = activation
    model.op("ADD", [a, a if draw(st.integers(0, 7)) == 0 else b], [y], options, version=2)


def add_pool(draw, model, builtin: str, most: int = 14) -> None:
    """Add a pooling layer of up to `most` channels; its window is often the whole image."""
    batch, channels = draw(st.sampled_from((1, 1, 2))), draw(st.integers(1, most))
    h, w = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    whole = draw(st.booleans())
    padding = draw(st.integers(0, 1))
    kh, kw = (h, w) if whole else (draw(st.integers(1, h)), draw(st.integers(1, w)))
    sh, sw = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    q = (draw(SCALES), draw(ZERO_POINTS))
    x = model.input((batch, h, w, channels), "int8", *q)
    out = _output_sides((h, w), (kh, kw), (sh, sw), padding)
    y = model.output((batch, *out, channels), "int8", *q)
    options = schema.Pool2DOptionsT()
    options.padding = padding
    options.filterHeight, options.filterWidth, options.strideH, options.strideW = kh, kw, sh, sw
    options.fusedActivationFunction = draw(ACTIVATIONS)
    model.op(builtin, [x], [y], options, version=2)


def add_layers(draw, model) -> None:
    """Add many depthwise layers, and some sums and pools."""
    for _ in range(22):
        add_depthwise(draw, model)
    for _ in range(6):
        add_sum(draw, model)
    for builtin in ("AVERAGE_POOL_2D", "MAX_POOL_2D") * 4:
        add_pool(draw, model, builtin)


def depthwise_chain() -> FlatModel:
    """Return a model of depthwise layers one after the other, so that memory is used again."""
    model, rng = FlatModel(), np.random.default_rng(3)
    sides, channels = (45, 38), 7
    x = model.input((1, *sides, channels), "int8", 0.05, -128)
    strides = (1, 2, 1, 2, 1, 1)
    for index, stride in enumerate(strides):
        shape = (1, 3, 3, channels)
        data = rng.integers(-127, 128, shape)
        weights = model.tensor(shape, "int8", [0.004] * channels, axis=3, data=data)
        sides = tuple(-(-n // stride) for n in sides)
        last = index == len(strides) - 1
        add = model.output if last else model.tensor
        y = add((1, *sides, channels), "int8", 0.05, -128 if index % 3 else -5)
        options = schema.DepthwiseConv2DOptionsT()
        options.padding, options.depthMultiplier = 0, 1
        options.strideH = options.strideW = stride
        options.dilationHFactor = options.dilationWFactor = 1
        options.fusedActivationFunction = 1 if index % 3 else 0
        model.op("DEPTHWISE_CONV_2D", [x, weights], [y], options)
        x = y
    return model
