"""Random small int8 networks: a few ops with residuals, branches, and channels that can go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.support.flatmodel import FlatModel

VERSIONS = {"CONV_2D": 3, "RESHAPE": 1}
"""Versions of ops that are not 2."""


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor of the model under construction."""

    index: int
    shape: tuple[int, ...]
    scale: float
    zero: int


class RandomGraph:
    """A network drawn from a seed: `model` is its file. `tflm` keeps to what TFLM can do."""

    def __init__(self, seed: int, *, tflm: bool = False) -> None:
        self.tflm = tflm
        self.rng = np.random.default_rng(seed)
        self.model = FlatModel()
        side = [int(n) for n in self.rng.integers(1, 10, 2)]
        if self.rng.random() < 0.15:
            side = [1, 1]
        channels = int(self.rng.integers(1, 9))
        scale, zero = self.quant()
        x = self.model.input((1, *side, channels), "int8", scale, zero)
        self.values = [Value(x, (1, *side, channels), scale, zero)]
        self.read: set[int] = set()
        makers = (
            (self.conv, 4), (self.depthwise, 3), (self.add, 3), (self.concat, 2), (self.pool, 2),
            (self.pad, 1), (self.table, 2), (self.constant, 1), (self.round_trip, 1),
            (self.swap, 1),
        )  # fmt: skip
        choices: list[Callable[[], None]] = [make for make, times in makers for _ in range(times)]
        if self.rng.random() < 0.7:
            self.conv()
        size = int(self.rng.integers(2, 7))
        while len(self.model.graph.operators) < size:
            choices[int(self.rng.integers(len(choices)))]()
        if self.rng.random() < 0.5:
            self.head()
        loose = [v.index for v in self.values[1:] if v.index not in self.read]
        self.model.graph.outputs = loose

    def quant(self) -> tuple[float, int]:
        """Return a scale and a zero point."""
        zero = int(self.rng.choice([-128, -128, 0, 127, int(self.rng.integers(-128, 128))]))
        return float(np.float32(self.rng.uniform(0.02, 0.3))), zero

    def source(self) -> Value:
        """Return a value to read, the latest most often."""
        recent = self.rng.random() < 0.7
        value = self.values[-1 if recent else int(self.rng.integers(len(self.values)))]
        self.read.add(value.index)
        return value

    def put(self, builtin: str, ins: list[int], like: Value, options: object = None) -> Value:
        """Add an op that makes a value of that shape and quantisation (`like.index` is unused)."""
        y = self.model.tensor(like.shape, "int8", like.scale, like.zero)
        self.model.op(builtin, ins, [y], options, version=VERSIONS.get(builtin, 2))
        value = Value(y, like.shape, like.scale, like.zero)
        self.values.append(value)
        return value

    def weights(self, shape: tuple[int, ...], axis: int, scale: float) -> tuple[int, int, float]:
        """Return weights, bias and a fit output scale; rows are zero, dead or equal here and there.

        A bias far below zero clamps a channel to one value, whatever the input is.
        """
        rng, count = self.rng, shape[axis]
        data = np.moveaxis(rng.integers(-127, 128, shape), axis, 0).copy()
        bias = rng.integers(-2000, 2001, count)
        scales = rng.uniform(0.002, 0.02, count) if rng.random() < 0.6 else np.full(count, 0.01)
        for i in range(count):
            kind = rng.random()
            if kind < 0.12:
                data[i] = 0
            elif kind < 0.2:
                bias[i] = -(10**7)
            elif kind < 0.25:
                bias[i] = 10**7
            elif kind < 0.4 and i:
                twin = int(rng.integers(i))
                data[i], bias[i], scales[i] = data[twin], bias[twin], scales[twin]
            elif kind < 0.5:
                data[i] //= 30
            elif kind < 0.55:
                data[i] = -np.abs(data[i])
        data = np.moveaxis(data, 0, axis)
        taps = int(np.prod(shape)) // count
        out = scale * float(scales.max()) * 60 * np.sqrt(taps) * 2.0 ** rng.uniform(-2, 2)
        w = self.model.tensor(shape, "int8", list(scales), axis=axis, data=data)
        b = self.model.tensor((count,), "int32", [scale * s for s in scales], data=bias)
        return w, b, float(np.float32(max(out, 1e-4)))

    def conv(self) -> None:
        """Add a convolution of any kind."""
        x, rng = self.source(), self.rng
        padding = int(rng.integers(0, 2))
        kernel = [int(rng.choice([1, 1, 3, 3, 2])) for _ in range(2)]
        if padding:
            kernel = [min(k, n) for k, n in zip(kernel, x.shape[1:3], strict=True)]
        stride = int(rng.choice([1, 1, 2]))
        out_ch = int(rng.choice([1, 3, 4, 8, int(rng.integers(1, 13))]))
        w, b, scale = self.weights((out_ch, *kernel, x.shape[3]), 0, x.scale)
        options = schema.Conv2DOptionsT()
        options.padding, options.strideH, options.strideW = padding, stride, stride
        options.fusedActivationFunction = int(rng.choice([0, 1, 1, 3]))
        shape = (1, *self.sides(x, kernel, stride, padding), out_ch)
        self.put("CONV_2D", [x.index, w, b], Value(0, shape, scale, self.quant()[1]), options)

    def depthwise(self) -> None:
        """Add a depthwise convolution, mostly without a multiplier."""
        x, rng = self.source(), self.rng
        padding = int(rng.integers(0, 2))
        kernel = [3, 3] if rng.random() < 0.7 else [int(n) for n in rng.integers(1, 4, 2)]
        if padding:
            kernel = [min(k, n) for k, n in zip(kernel, x.shape[1:3], strict=True)]
        stride, times = int(rng.choice([1, 1, 2])), int(rng.choice([1, 1, 1, 1, 2]))
        channels = x.shape[3] * times
        w, b, scale = self.weights((1, *kernel, channels), 3, x.scale)
        options = schema.DepthwiseConv2DOptionsT()
        options.padding, options.depthMultiplier = padding, times
        options.strideH = options.strideW = stride
        options.fusedActivationFunction = int(rng.choice([0, 1, 1]))
        shape = (1, *self.sides(x, kernel, stride, padding), channels)
        y = Value(0, shape, scale, self.quant()[1])
        self.put("DEPTHWISE_CONV_2D", [x.index, w, b], y, options)

    @staticmethod
    def sides(x: Value, kernel: list[int], stride: int, padding: int) -> list[int]:
        """Return the height and width of a window's output."""
        sizes = zip(x.shape[1:3], kernel, strict=True)
        return [-(-n // stride) if padding == 0 else (n - k) // stride + 1 for n, k in sizes]

    def partners(self, x: Value, dims: int) -> list[Value]:
        """Return values of the same first dimensions, `x` itself at least."""
        return [v for v in self.values if v.shape[:dims] == x.shape[:dims]]

    def add(self) -> None:
        """Add a sum, or another op of two values of a shape."""
        x = self.source()
        found = self.partners(x, 4)
        other = found[int(self.rng.integers(len(found)))]
        self.read.add(other.index)
        kind = str(self.rng.choice(["ADD", "ADD", "ADD", "SUB", "MUL"]))
        options = getattr(schema, f"{kind.capitalize()}OptionsT")()
        options.fusedActivationFunction = int(self.rng.choice([0, 1]))
        scale = x.scale * other.scale * 90 if kind == "MUL" else max(x.scale, other.scale) * 1.5
        y = Value(0, x.shape, float(np.float32(scale)), self.quant()[1])
        self.put(kind, [x.index, other.index], y, options)

    def concat(self) -> None:
        """Join two or three values by channels, brought to one quantisation."""
        x = self.source()
        found = self.partners(x, 3)
        picked = [x] + [
            found[int(self.rng.integers(len(found)))] for _ in range(int(self.rng.integers(1, 3)))
        ]
        if sum(v.shape[3] for v in picked) > 40:
            return
        parts = []
        for value in picked:
            self.read.add(value.index)
            if (value.scale, value.zero) != (x.scale, x.zero):
                like = Value(0, value.shape, x.scale, x.zero)
                value = self.put("QUANTIZE", [value.index], like)
                self.read.add(value.index)
            parts.append(value)
        options = schema.ConcatenationOptionsT()
        options.axis = 3
        shape = (*x.shape[:3], sum(v.shape[3] for v in parts))
        self.put("CONCATENATION", [v.index for v in parts], Value(0, shape, x.scale, x.zero),
                 options)  # fmt: skip

    def pool(self) -> None:
        """Add a pooling layer."""
        x, rng = self.source(), self.rng
        kernel = [int(rng.integers(1, n + 1)) for n in x.shape[1:3]]
        padding, stride = int(rng.integers(0, 2)), int(rng.integers(1, 3))
        options = schema.Pool2DOptionsT()
        options.padding, options.strideH, options.strideW = padding, stride, stride
        options.filterHeight, options.filterWidth = kernel
        options.fusedActivationFunction = int(rng.choice([0, 0, 1]))
        shape = (1, *self.sides(x, kernel, stride, padding), x.shape[3])
        builtin = str(rng.choice(["AVERAGE_POOL_2D", "MAX_POOL_2D"]))
        self.put(builtin, [x.index], Value(0, shape, x.scale, x.zero), options)

    def pad(self) -> None:
        """Pad height and width with zeros, or with another value."""
        x = self.source()
        amounts = self.rng.integers(0, 3, (2, 2))
        if max(x.shape[1:3]) > 12:
            return
        pads = self.model.tensor((4, 2), "int32", data=[[0, 0], *amounts.tolist(), [0, 0]])
        sides = [n + int(a.sum()) for n, a in zip(x.shape[1:3], amounts, strict=True)]
        y = Value(0, (1, *sides, x.shape[3]), x.scale, x.zero)
        if self.rng.random() < 0.6:
            self.put("PAD", [x.index, pads], y, schema.PadOptionsT())
            return
        fill = self.model.tensor((1,), "int8", x.scale, x.zero, data=[self.rng.integers(-128, 128)])
        self.put("PADV2", [x.index, pads, fill], y, schema.PadV2OptionsT())

    def table(self) -> None:
        """Apply one or more functions of single values."""
        for _ in range(int(self.rng.integers(1, 4))):
            x = self.source()
            kind = str(self.rng.choice(["RELU", "RELU6", "QUANTIZE", "LOGISTIC", "TANH", "LEAKY"]))
            scale, zero = (x.scale, x.zero) if self.rng.random() < 0.5 else self.quant()
            options = None
            if kind == "LOGISTIC":
                scale, zero = 1 / 256, -128
            elif kind == "TANH":
                scale, zero = 1 / 128, 0
            elif kind == "LEAKY":
                kind, options = "LEAKY_RELU", schema.LeakyReluOptionsT()
                options.alpha = 0.1
            elif kind != "QUANTIZE" and (self.tflm or self.rng.random() < 0.5):
                scale, zero = x.scale, x.zero
            self.put(kind, [x.index], Value(0, x.shape, scale, zero), options)

    def constant(self) -> None:
        """Combine a value with a constant: one, or one a channel."""
        x, rng = self.source(), self.rng
        kind = str(rng.choice(["ADD", "MUL", "MAXIMUM", "MINIMUM", "SUB"]))
        shape = (x.shape[3],) if rng.random() < 0.5 else (1,)
        own = kind in ("MAXIMUM", "MINIMUM")
        scale, zero = (x.scale, x.zero) if own else self.quant()
        data = rng.integers(-128, 128, shape)
        c = self.model.tensor(shape, "int8", scale, zero, data=data)
        name = "MaximumMinimumOptionsT" if own else f"{kind.capitalize()}OptionsT"
        out = x.scale if own else float(np.float32(max(x.scale, scale)))
        y = Value(0, x.shape, out, x.zero)
        self.put(kind, [x.index, c], y, getattr(schema, name)())

    def round_trip(self) -> None:
        """Go to float32 and back, to the same codes or others."""
        x = self.source()
        real = self.model.tensor(x.shape, "float32")
        self.model.op("DEQUANTIZE", [x.index], [real], version=2)
        scale, zero = (x.scale, x.zero) if self.rng.random() < 0.6 else self.quant()
        self.put("QUANTIZE", [real], Value(0, x.shape, scale, zero))

    def swap(self) -> None:
        """Exchange dimensions, where that may change nothing."""
        x = self.source()
        order = [0, 2, 1, 3] if self.rng.random() < 0.7 else [0, 1, 2, 3]
        by = self.model.tensor((4,), "int32", data=order)
        shape = tuple(x.shape[i] for i in order)
        y = Value(0, shape, x.scale, x.zero)
        self.put("TRANSPOSE", [x.index, by], y, schema.TransposeOptionsT())

    def head(self) -> None:
        """Add what ends a classifier: mean or reshape, dense, softmax."""
        x, rng = self.source(), self.rng
        if rng.random() < 0.5:
            axes = self.model.tensor((2,), "int32", data=[1, 2])
            options = schema.ReducerOptionsT()
            options.keepDims = False
            x = self.put("MEAN", [x.index, axes], Value(0, (1, x.shape[3]), x.scale, x.zero),
                         options)  # fmt: skip
        else:
            shape = (1, int(np.prod(x.shape)))
            options = schema.ReshapeOptionsT()
            options.newShape = list(shape)
            x = self.put("RESHAPE", [x.index], Value(0, shape, x.scale, x.zero), options)
        self.read.add(x.index)
        outputs = int(rng.integers(2, 7))
        w, b, scale = self.weights((outputs, x.shape[1]), 0, x.scale)
        dense = schema.FullyConnectedOptionsT()
        y = Value(0, (1, outputs), scale, self.quant()[1])
        y = self.put("FULLY_CONNECTED", [x.index, w, b], y, dense)
        if rng.random() < 0.5:
            self.read.add(y.index)
            softmax = schema.SoftmaxOptionsT()
            softmax.beta = 1.0
            self.put("SOFTMAX", [y.index], Value(0, y.shape, 1 / 256, -128), softmax)
