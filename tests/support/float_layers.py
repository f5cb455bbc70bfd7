"""Float32 layers about as wide as vectors are, for the kernels of vector units."""

from __future__ import annotations

import math

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.support.flatmodel import FlatModel

BINARY = ("ADD", "DIV", "MAXIMUM", "MINIMUM", "MUL", "SQUARED_DIFFERENCE", "SUB")
_OPTIONS = {"ADD": schema.AddOptionsT, "DIV": schema.DivOptionsT, "MUL": schema.MulOptionsT,
            "SUB": schema.SubOptionsT}  # fmt: skip
_SHAPES = (((2, 3, 37), (2, 3, 37)), ((4, 5, 33), (33,)), ((3, 40), (3, 1)), ((1, 70), (2, 1)),
           ((2, 5, 1), (2, 1, 3)), ((2, 9), (1,)))  # fmt: skip


def float_layers(seed: int) -> FlatModel:
    """Return a model of layers of every op that has a kernel for vector units."""
    rng = np.random.default_rng(seed)
    model = FlatModel()
    for _ in range(6):
        _convolution(rng, model)
        _depthwise(rng, model)
    _many_strips(rng, model)
    for builtin in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        _pool(rng, model, builtin)
    for rows, inside, outside in ((1, 40, 10), (1, 7, 70), (9, 33, 64), (20, 5, 17)):
        _dense(rng, model, rows, inside, outside)
    for adj_y in (False, True):
        _matmul(rng, model, adj_y)
    for builtin in BINARY:
        for first, second in _SHAPES:
            _binary(model, builtin, first, second)
    for shape, axes in (
        ((3, 5, 37), [2]),
        ((2, 7, 5, 19), [1, 2]),
        ((40, 3), [0]),
        ((4, 70), [0, 1]),
    ):
        _mean(model, shape, axes)
    for size in (3, 16, 100):
        _elementwise(model, size)
    return model


def _weights(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(-1, 1, shape).astype(np.float32)


def _convolution(rng: np.random.Generator, model: FlatModel) -> None:
    window = _Window(rng)
    in_ch = int(rng.choice([1, 3, 15, 16, 24]))
    out_ch = int(rng.choice([5, 8, 16, 33, 70]))
    x = model.input((2, *window.size, in_ch), "float32")
    w = model.tensor((out_ch, *window.kernel, in_ch), "float32",
                     data=_weights(rng, (out_ch, *window.kernel, in_ch)))  # fmt: skip
    b = model.tensor((out_ch,), "float32", data=_weights(rng, (out_ch,)))
    y = model.output((2, *window.out, out_ch), "float32")
    model.op("CONV_2D", [x, w, b], [y], window.options(schema.Conv2DOptionsT()), version=3)


def _depthwise(rng: np.random.Generator, model: FlatModel) -> None:
    window = _Window(rng)
    channels = int(rng.choice([3, 8, 12, 16, 33, 40]))
    x = model.input((1, *window.size, channels), "float32")
    shape = (1, *window.kernel, channels)
    w = model.tensor(shape, "float32", data=_weights(rng, shape))
    b = model.tensor((channels,), "float32", data=_weights(rng, (channels,)))
    y = model.output((1, *window.out, channels), "float32")
    options = window.options(schema.DepthwiseConv2DOptionsT())
    options.depthMultiplier = 1
    model.op("DEPTHWISE_CONV_2D", [x, w, b], [y], options, version=3)


def _many_strips(rng: np.random.Generator, model: FlatModel) -> None:
    """Add depthwise layers and a convolution whose images take several strips."""
    for size, channels, kernel in (((40, 31), 24, (3, 3)), ((37, 40), 8, (5, 2))):
        x = model.input((2, *size, channels), "float32")
        shape = (1, *kernel, channels)
        w = model.tensor(shape, "float32", data=_weights(rng, shape))
        y = model.output((2, *size, channels), "float32")
        options = schema.DepthwiseConv2DOptionsT()
        options.strideH = options.strideW = options.depthMultiplier = 1
        options.dilationHFactor = options.dilationWFactor = 1
        model.op("DEPTHWISE_CONV_2D", [x, w], [y], options, version=3)
    x = model.input((1, 45, 41, 9), "float32")
    w = model.tensor((8, 3, 3, 9), "float32", data=_weights(rng, (8, 3, 3, 9)))
    b = model.tensor((8,), "float32", data=_weights(rng, (8,)))
    y = model.output((1, 45, 41, 8), "float32")
    wide = schema.Conv2DOptionsT()
    wide.strideH = wide.strideW = wide.dilationHFactor = wide.dilationWFactor = 1
    model.op("CONV_2D", [x, w, b], [y], wide, version=3)


class _Window:
    """A window, an image that it fits, and how it goes over it."""

    def __init__(self, rng: np.random.Generator, *, dilated: bool = True) -> None:
        side = int(rng.choice([1, 3, 3, 5]))
        self.kernel = (side, side if rng.integers(3) else 2)
        self.stride = (int(rng.integers(1, 3)), int(rng.integers(1, 3)))
        self.dilation = (1, int(rng.integers(1, 3))) if dilated and rng.integers(2) else (1, 1)
        self.padding = int(rng.integers(2))
        self.size = (int(rng.integers(9, 13)), int(rng.integers(9, 15)))
        self.out = tuple(
            -(-n // s) if self.padding == 0 else math.ceil((n - (k - 1) * d) / s)
            for n, k, s, d in zip(self.size, self.kernel, self.stride, self.dilation, strict=True)
        )
        self.activation = int(rng.choice([0, 1, 3]))

    def options(self, options):
        options.padding = self.padding
        options.strideH, options.strideW = self.stride
        options.dilationHFactor, options.dilationWFactor = self.dilation
        options.fusedActivationFunction = self.activation
        return options


def _pool(rng: np.random.Generator, model: FlatModel, builtin: str) -> None:
    for channels in (5, 40):
        window = _Window(rng, dilated=False)
        x = model.input((2, *window.size, channels), "float32")
        y = model.output((2, *window.out, channels), "float32")
        options = schema.Pool2DOptionsT()
        options.padding = window.padding
        options.strideH, options.strideW = window.stride
        options.filterHeight, options.filterWidth = window.kernel
        model.op(builtin, [x], [y], options)


def _dense(
    rng: np.random.Generator, model: FlatModel, rows: int, inside: int, outside: int
) -> None:
    x = model.input((rows, inside), "float32")
    w = model.tensor((outside, inside), "float32", data=_weights(rng, (outside, inside)))
    b = model.tensor((outside,), "float32", data=_weights(rng, (outside,)))
    y = model.output((rows, outside), "float32")
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = int(rng.choice([0, 1]))
    model.op("FULLY_CONNECTED", [x, w, b], [y], options)


def _matmul(rng: np.random.Generator, model: FlatModel, adj_y: bool) -> None:
    for rows, depth, columns in ((9, 20, 32), (3, 1, 45), (17, 33, 8)):
        a = model.input((2, rows, depth), "float32")
        b = model.input((1, columns, depth) if adj_y else (2, depth, columns), "float32")
        y = model.output((2, rows, columns), "float32")
        options = schema.BatchMatMulOptionsT()
        options.adjX, options.adjY = False, adj_y
        model.op("BATCH_MATMUL", [a, b], [y], options, version=2)


def _binary(
    model: FlatModel, builtin: str, first: tuple[int, ...], second: tuple[int, ...]
) -> None:
    a = model.input(first, "float32")
    b = model.input(second, "float32", low=0.5, high=4.0)
    y = model.output(np.broadcast_shapes(first, second), "float32")
    options = _OPTIONS[builtin]() if builtin in _OPTIONS else None
    model.op(builtin, [a, b], [y], options)


def _mean(model: FlatModel, shape: tuple[int, ...], axes: list[int]) -> None:
    x = model.input(shape, "float32")
    a = model.tensor((len(axes),), "int32", data=axes)
    y = model.output([1 if i in axes else n for i, n in enumerate(shape)], "float32")
    options = schema.ReducerOptionsT()
    options.keepDims = True
    model.op("MEAN", [x, a], [y], options)


def _elementwise(model: FlatModel, size: int) -> None:
    for approximate in (False, True):
        options = schema.GeluOptionsT()
        options.approximate = approximate
        x, y = model.input((size,), "float32", low=-7, high=7), model.output((size,), "float32")
        model.op("GELU", [x], [y], options)
    x, y = model.input((size,), "float32", low=-20, high=20), model.output((size,), "float32")
    model.op("LOGISTIC", [x], [y])
    options = schema.SoftmaxOptionsT()
    options.beta = 1.0
    x, y = model.input((3, size), "float32", low=-9, high=9), model.output((3, size), "float32")
    model.op("SOFTMAX", [x], [y], options)
