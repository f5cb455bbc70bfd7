"""Random small networks between int16, with dead channels, clamps and pads for the passes."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import SEEDS
from tests.support.flatmodel import FlatModel

INT64 = schema.TensorType.INT64
UNIT = 2.0**-11


class Network:
    """A chain of layers over (1, side, side, channels) tensors."""

    def __init__(self, draw) -> None:
        self.draw = draw
        self.model = FlatModel()
        self.rng = np.random.default_rng(draw(SEEDS))
        self.side, self.channels = draw(st.integers(3, 6)), draw(st.integers(1, 6))
        self.scale = UNIT
        self.at = self.model.input(self.shape, "int16", UNIT)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return (1, self.side, self.side, self.channels)

    def tensor(self, scale: float) -> int:
        self.scale = float(np.float32(scale))
        return self.model.tensor(self.shape, "int16", self.scale)

    def product(self, shape: tuple[int, ...], axis: int, builtin: str, options) -> None:
        """Add a layer whose weights have dead rows and columns, some of great bias."""
        count = shape[axis]
        weights = self.rng.integers(-127, 128, shape)
        dead = self.rng.random(count) < 0.3
        np.moveaxis(weights, axis, 0)[dead] = 0
        if axis == 0:
            weights[..., self.rng.random(shape[-1]) < 0.2] = 0
        bias = self.rng.integers(-(2**20), 2**20, count) * (1 + 63 * dead)
        scales = self.rng.uniform(1e-3, 1e-2, count).astype(np.float32)
        w = self.model.tensor(shape, "int8", list(scales), axis=axis, data=weights)
        b = self.model.tensor((count,), "int64", list(self.scale * scales), data=bias)
        x, self.channels = self.at, count
        self.at = self.tensor(self.scale * self.draw(st.sampled_from((0.5, 1.0, 2.0))))
        self.model.op(builtin, [x, w, b], [self.at], options, version=3)

    def conv(self) -> None:
        """Add a convolution."""
        kernel, out = self.draw(st.sampled_from((1, 3))), self.draw(st.integers(1, 6))
        options = schema.Conv2DOptionsT()
        options.quantizedBiasType = INT64
        self._window(options)
        self.product((out, kernel, kernel, self.channels), 0, "CONV_2D", options)

    def depthwise(self) -> None:
        """Add a depthwise convolution."""
        options = schema.DepthwiseConv2DOptionsT()
        options.depthMultiplier = 1
        self._window(options)
        self.product((1, 3, 3, self.channels), 3, "DEPTHWISE_CONV_2D", options)

    def _window(self, options) -> None:
        options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
        options.fusedActivationFunction = self.draw(st.sampled_from((0, 1, 3)))

    def padded_conv(self) -> None:
        """Add a PAD that a VALID convolution reads."""
        paddings = self.model.tensor((4, 2), "int32", data=[[0, 0], [1, 1], [1, 1], [0, 0]])
        x, side = self.at, self.side
        self.side += 2
        self.at = self.tensor(self.scale)
        self.model.op("PAD", [x, paddings], [self.at], schema.PadOptionsT(), version=2)
        options = schema.Conv2DOptionsT()
        options.padding, options.quantizedBiasType = 1, INT64
        self._window(options)
        self.side = side
        out = self.draw(st.integers(1, 6))
        self.product((out, 3, 3, self.channels), 0, "CONV_2D", options)

    def clamp(self) -> None:
        """Add a clamp of its own."""
        x, same = self.at, self.draw(st.booleans())
        self.at = self.tensor(self.scale if same else self.scale * 1.5)
        self.model.op(self.draw(st.sampled_from(("RELU", "RELU6"))), [x], [self.at], version=2)

    def sum(self) -> None:
        """Add the value to itself after a convolution."""
        x, scale, channels = self.at, self.scale, self.channels
        options = schema.Conv2DOptionsT()
        options.quantizedBiasType = INT64
        self._window(options)
        self.product((channels, 1, 1, channels), 0, "CONV_2D", options)
        second, other = self.at, self.scale
        self.at = self.tensor(scale + other)
        add = schema.AddOptionsT()
        add.potScaleInt16 = False
        self.model.op("ADD", [x, second], [self.at], add, version=2)

    def pool(self) -> None:
        """Add an average pool of one pixel to the right and below."""
        x = self.at
        self.at = self.tensor(self.scale)
        options = schema.Pool2DOptionsT()
        options.strideH = options.strideW = 1
        options.filterHeight = options.filterWidth = 2
        builtin = self.draw(st.sampled_from(("AVERAGE_POOL_2D", "MAX_POOL_2D")))
        self.model.op(builtin, [x], [self.at], options, version=2)

    def dense(self) -> None:
        """End with a dense layer over everything, of one to three rows of weights."""
        x, size = self.at, self.side * self.side * self.channels
        flat = self.model.tensor((1, size), "int16", self.scale)
        options = schema.ReshapeOptionsT()
        options.newShape = [1, size]
        self.model.op("RESHAPE", [x], [flat], options)
        out = self.draw(st.integers(1, 3))
        weights = self.rng.integers(-127, 128, (out, size))
        w = self.model.tensor((out, size), "int8", [0.01], data=weights)
        y = self.model.output((1, out), "int16", self.scale * 4)
        options = schema.FullyConnectedOptionsT()
        options.quantizedBiasType = INT64
        self.model.op("FULLY_CONNECTED", [flat, w, -1], [y], options, version=12)


def draw_network(draw) -> FlatModel:
    """Return a model of some random layers and a dense one."""
    net = Network(draw)
    layers = ("conv", "depthwise", "padded_conv", "clamp", "sum", "pool")
    for name in ("conv", *draw(st.lists(st.sampled_from(layers), min_size=2, max_size=6))):
        getattr(net, name)()
    net.dense()
    return net.model


def mixed_model(*, widens: bool) -> FlatModel:
    """Return a model of int8 layers round one between int16.

    From int8 to int16 it goes by QUANTIZE, for which LiteRT has no kernel, or through float32.
    """
    model, rng = FlatModel(), np.random.default_rng(1)
    x = model.input((1, 6, 6, 3), "int8", 0.05, -3)
    at = model.tensor((1, 6, 6, 4), "int8", 0.1, 5)
    _conv(model, rng, x, at, "int32", 0.05)
    wide = model.tensor((1, 6, 6, 4), "int16", 0.1 / 256)
    if widens:
        model.op("QUANTIZE", [at], [wide])
    else:
        real = model.tensor((1, 6, 6, 4), "float32")
        model.op("DEQUANTIZE", [at], [real], version=2)
        model.op("QUANTIZE", [real], [wide])
    made = model.tensor((1, 6, 6, 5), "int16", 0.2 / 256)
    _conv(model, rng, wide, made, "int64", 0.1 / 256)
    narrow = model.tensor((1, 6, 6, 5), "int8", 0.2, 1)
    model.op("QUANTIZE", [made], [narrow])
    y = model.output((1, 6, 6, 2), "int8", 0.4, 0)
    _conv(model, rng, narrow, y, "int32", 0.2)
    return model


def _conv(model: FlatModel, rng, x: int, y: int, bias: str, scale: float) -> None:
    (*_, depth), (*_, count) = (model.graph.tensors[i].shape for i in (x, y))
    shape = (count, 3, 3, depth)
    w = model.tensor(shape, "int8", [0.01] * count, data=rng.integers(-127, 128, shape))
    b = model.tensor((count,), bias, [0.01 * scale] * count, data=rng.integers(-999, 999, count))
    options = schema.Conv2DOptionsT()
    options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
    options.quantizedBiasType = INT64 if bias == "int64" else 0
    model.op("CONV_2D", [x, w, b], [y], options, version=3)
