"""Random layers between int16, for the kernels of cores with SMLAD: odd sizes, extremes."""

from __future__ import annotations

import math

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import SCALES, SEEDS
from tests.support.drawing import drawn_model
from tests.support.dsp_layers import extreme_weights
from tests.support.flatmodel import FlatModel

INT64 = schema.TensorType.INT64
ACTIVATIONS = st.sampled_from((0, 0, 1, 2, 3))


def _ends(draw, products: int, out_ch: int) -> tuple[float, float, list[float], np.ndarray]:
    """Return scales of input, output and weights, and a bias that fit each other."""
    x, reach = draw(SCALES) / 64, draw(st.sampled_from((1, 5000, 2**20, 2**30, 2**36)))
    scales = [draw(SCALES) for _ in range(out_ch if draw(st.booleans()) else 1)]
    spread = math.sqrt(products) * 2.0 ** draw(st.floats(1.0, 9.0))
    y = float(np.float32(x * max(scales) * spread))
    if draw(st.integers(0, 5)) == 0:
        scales[0] = 1e-9
    bias = np.random.default_rng(draw(SEEDS)).integers(-reach, reach + 1, out_ch)
    return x, y, scales, np.clip(bias, -(2**29) * spread, 2**29 * spread).astype(np.int64)


def add_window(draw, model, *, depthwise: bool, whole: bool = False) -> None:
    """Add a convolution or a depthwise one; `whole` ones have channels in fours."""
    kernel = st.integers(1, 4)
    kh, kw = (3, 3) if whole else (draw(kernel), draw(kernel))
    stride, dh, dw = (draw(st.sampled_from((1, 1, 2, 3))) for _ in range(3))
    padding, batch = draw(st.integers(0, 1)), draw(st.sampled_from((1, 1, 2)))
    need = ((kh - 1) * dh + 1, (kw - 1) * dw + 1) if padding else (1, 1)
    h, w = (max(draw(st.integers(1, 9)), n) for n in need)
    depth, out_ch = draw(st.integers(1, 20)), draw(st.integers(1, 14))
    depth, out_ch = (4 * (1 + depth // 4), 4 * (1 + out_ch // 4)) if whole else (depth, out_ch)
    out_ch = depth if depthwise else out_ch
    x_scale, y_scale, scales, bias = _ends(draw, kh * kw * (1 if depthwise else depth), out_ch)
    x = model.input((batch, h, w, depth), "int16", x_scale)
    shape = (1, kh, kw, out_ch) if depthwise else (out_ch, kh, kw, depth)
    axis = 3 if depthwise else 0
    weights = model.tensor(
        shape, "int8", scales, axis=axis, data=extreme_weights(draw, shape, scales)
    )
    starts = model.tensor((out_ch,), "int64", [x_scale * s for s in scales], data=bias)
    out = [
        -(-n // stride) if padding == 0 else math.ceil((n - (k - 1) * d) / stride)
        for n, k, d in ((h, kh, dh), (w, kw, dw))
    ]
    y = model.output((batch, *out, out_ch), "int16", y_scale)
    options = schema.DepthwiseConv2DOptionsT() if depthwise else schema.Conv2DOptionsT()
    options.padding = padding
    options.strideH = options.strideW = stride
    options.dilationHFactor, options.dilationWFactor = dh, dw
    options.fusedActivationFunction = draw(ACTIVATIONS)
    if depthwise:
        options.depthMultiplier = 1
    else:
        options.quantizedBiasType = INT64
    builtin = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
    model.op(builtin, [x, weights, starts], [y], options, version=3)


def add_dense(draw, model) -> None:
    """Add a dense layer of one row or several."""
    size, out, rows = draw(st.integers(1, 70)), draw(st.integers(1, 26)), draw(st.integers(1, 3))
    x_scale, y_scale, scales, bias = _ends(draw, size, out)
    x = model.input((rows, size), "int16", x_scale)
    weights = model.tensor(
        (out, size), "int8", scales, data=extreme_weights(draw, (out, size), scales)
    )
    starts = model.tensor((out,), "int64", [x_scale * s for s in scales], data=bias)
    y = model.output((rows, out), "int16", y_scale)
    options = schema.FullyConnectedOptionsT()
    options.quantizedBiasType = INT64
    options.fusedActivationFunction = draw(ACTIVATIONS)
    model.op("FULLY_CONNECTED", [x, weights, starts], [y], options, version=12)


def add_sum(draw, model) -> None:
    """Add a sum of two tensors of one shape."""
    shape = (draw(st.integers(1, 5)), draw(st.integers(1, 40)))
    scales = [draw(SCALES) / 64 for _ in range(3)]
    ends = [model.input(shape, "int16", s) for s in scales[:2]]
    options = schema.AddOptionsT()
    options.potScaleInt16 = False
    options.fusedActivationFunction = draw(ACTIVATIONS)
    model.op("ADD", ends, [model.output(shape, "int16", scales[2])], options, version=2)


def draw_model(draw) -> FlatModel:
    """Return a model of many layers, each with inputs and outputs of its own."""
    model = FlatModel()
    for i in range(12):
        add_window(draw, model, depthwise=i % 3 == 0, whole=i >= 8)
    for _ in range(6):
        add_dense(draw, model)
    for _ in range(4):
        add_sum(draw, model)
    return model


def first_model() -> FlatModel:
    """Return the same model in every run."""
    return drawn_model(draw_model, 3, 3)


def extreme_samples(model) -> list[list[np.ndarray]]:
    """Return samples of random values, and of the least and greatest everywhere."""
    first = model.draw_inputs(1)
    ends = [[np.full_like(v, edge) for v in first] for edge in (-32768, 32767)]
    return [first, model.draw_inputs(2), *ends]
