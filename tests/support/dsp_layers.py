"""Random layers for the kernels of cores with SMLAD: odd sizes, extremes, constant channels."""

from __future__ import annotations

import math

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import SCALES, SEEDS, ZERO_POINTS

ACTIVATIONS = st.sampled_from((0, 0, 1, 2, 3))


def extreme_weights(draw, shape: tuple[int, ...], scales: list[float]) -> np.ndarray:
    """Mostly random; also rows of nothing, and of all extremes of one sign."""
    rng = np.random.default_rng(draw(SEEDS))
    data = rng.integers(-127, 128, shape)
    kind = draw(st.integers(0, 7))
    if kind == 0:
        data[:] = draw(st.sampled_from((-127, 127)))
    elif kind == 1:
        data[rng.integers(0, 2, shape[0]) == 0] = 0
    elif kind == 2:
        data[rng.integers(0, 4, shape) == 0] = -128
    elif kind == 3:
        data //= 40
    return data.astype(np.int8)


def _ends(draw, products: int, out_ch: int) -> tuple:
    """Return quantisation of input and output, weight scales and bias that fit each other."""
    x, reach = draw(SCALES), draw(st.sampled_from((1, 100, 5000, 2**20)))
    scales = [draw(SCALES) for _ in range(out_ch if draw(st.booleans()) else 1)]
    spread = math.sqrt(products) * 2.0 ** draw(st.floats(-1.0, 9.0))
    y = max(float(np.float32(x * max(scales) * spread)), 1e-6)
    if draw(st.integers(0, 5)) == 0:
        scales[0] = 1e-9
    bias = np.random.default_rng(draw(SEEDS)).integers(-reach, reach + 1, out_ch)
    return (x, draw(ZERO_POINTS)), (y, draw(ZERO_POINTS)), scales, bias.astype(np.int32)


def add_conv(
    draw, model, sides: tuple[int, int] = (1, 5), *, whole: bool = False, weights=extreme_weights
) -> None:
    """Add a convolution; `sides` are the bounds of the kernel's height and width.

    A `whole` one has channels in eights and fours and no steps, as Winograd's kernel wants it.
    `weights(draw, shape, scales)` makes the int8 weights.
    """
    kernel = st.integers(*sides)
    kh, kw = draw(kernel), draw(kernel)
    sh, sw, dh, dw = (1 if whole else draw(st.sampled_from((1, 1, 2, 3))) for _ in range(4))
    padding, batch = draw(st.integers(0, 1)), draw(st.sampled_from((1, 1, 2)))
    need = ((kh - 1) * dh + 1, (kw - 1) * dw + 1) if padding else (1, 1)
    h, w = (max(draw(st.integers(1, 9)), n) for n in need)
    groups = 1 if whole else draw(st.sampled_from((1, 1, 1, 1, 1, 2)))
    depth, out_ch = draw(st.integers(1, 20)), groups * draw(st.integers(1, 14))
    if whole:
        depth, out_ch = 8 * (1 + depth // 7), 4 * (1 + out_ch // 5)
    x_q, y_q, scales, bias = _ends(draw, kh * kw * depth, out_ch)
    x = model.input((batch, h, w, groups * depth), "int8", *x_q)
    shape = (out_ch, kh, kw, depth)
    values = model.tensor(shape, "int8", scales, data=weights(draw, shape, scales))
    bias = model.tensor((out_ch,), "int32", [x_q[0] * s for s in scales], data=bias)
    out = [
        -(-n // s) if padding == 0 else math.ceil((n - (k - 1) * d) / s)
        for n, k, s, d in ((h, kh, sh, dh), (w, kw, sw, dw))
    ]
    y = model.output((batch, *out, out_ch), "int8", *y_q)
    options = schema.Conv2DOptionsT()
    options.padding = padding
    options.strideH, options.strideW = sh, sw
    options.dilationHFactor, options.dilationWFactor = dh, dw
    options.fusedActivationFunction = draw(ACTIVATIONS)
    model.op("CONV_2D", [x, values, bias], [y], options, version=3)


def add_fully_connected(draw, model, *, largest: int = 70, weights=extreme_weights) -> None:
    """Add a dense layer of one row or several, with `largest` inputs a row at most."""
    size, out, rows = (
        draw(st.integers(1, largest)),
        draw(st.integers(1, 26)),
        draw(st.integers(1, 3)),
    )
    x_q, y_q, scales, bias = _ends(draw, size, out)
    x = model.input((rows, size), "int8", *x_q)
    values = model.tensor((out, size), "int8", scales, data=weights(draw, (out, size), scales))
    bias = model.tensor((out,), "int32", [x_q[0] * s for s in scales], data=bias)
    y = model.output((rows, out), "int8", *y_q)
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = draw(ACTIVATIONS)
    model.op("FULLY_CONNECTED", [x, values, bias], [y], options, version=12)


def extreme_samples(model) -> list[list[np.ndarray]]:
    """Return samples of random bytes, of nothing but the least byte, and of the greatest."""
    random = [model.draw_inputs(seed) for seed in (1, 2)]
    return [*random, *([np.full_like(v, e) for v in random[0]] for e in (-128, 127))]
