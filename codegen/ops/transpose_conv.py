"""TRANSPOSE_CONV: each input pixel spreads a filter over the output; the layer that upsamples."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import axes, int16_products, products
from edgec.codegen.constraints import four_dimensions, inputs, small_dimensions
from edgec.codegen.quantmath import activation_range, float_bounds
from edgec.codegen.registry import Const, Io, KernelOp, Node, Shape, Step, register
from edgec.codegen.window import Window
from edgec.pipeline.graph import Activation, Array, DType


def _product(io: Io) -> Io:
    """Return input, weights and bias in the order that other products have."""
    return Io((io.input(2), io.input(1), io.optional(3)), io.outputs)


def _of_product(limit: Callable[[Any, Io], bool]) -> Callable[[Any, Io], bool]:
    """Return a constraint of products as one of this op."""

    @wraps(limit)
    def reordered(op: Any, io: Io) -> bool:
        return limit(op, _product(io))

    return reordered


def filter_fits(op: KernelOp, io: Io) -> bool:
    """The filter is (out_ch, kh, kw, in_ch), quantised along its first dimension."""
    weights = io.input(1)
    if len(weights.shape) != 4 or weights.shape[3] != io.x.shape[3]:
        return False
    return weights.quant is None or not weights.quant.per_channel or weights.quant.axis == 0


def output_fits(op: TransposeConv, io: Io) -> bool:
    """The output shape has the input's batch and the filter's output channels."""
    return (op.shape[0], op.shape[3]) == (io.x.shape[0], io.input(1).shape[0])


def _rows(io: Io) -> Array:
    weights = io.input(1).values
    return weights.reshape(weights.shape[0], -1)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class TransposeConv(KernelOp):
    """2-D transposed convolution. The window slides over the output, as in the forward layer."""

    builtin: ClassVar[str] = "TRANSPOSE_CONV"
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(3, 4),
        *(
            _of_product(limit)
            for limit in (
                four_dimensions,
                small_dimensions,
                products.product_types,
                products.constant_weights,
                filter_fits,
                output_fits,
                products.bias_fits(lambda io: io.input(1).shape[0]),
                products.accumulator_fits(_rows),
                *int16_products.LIMITS,
            )
        ),
    )

    window: Window
    activation: Activation
    shape: Shape
    narrow_bias: bool = False

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read TransposeConvOptions: 0 padding, 1-2 stride w h, 3 activation, 4 bias."""
        o, w = node.options, node.input(1).shape
        shape = axes.integers(node, 0, "the output shape", 4)
        window = Window.of_padding(
            o.int8(0),
            (shape[1], shape[2]),
            (w[1], w[2]) if len(w) == 4 else (1, 1),
            (o.int32(2), o.int32(1)),
        )
        return cls(
            window=window,
            activation=Activation(o.int8(3)),
            shape=shape,
            narrow_bias=int16_products.narrow_bias(node, 4),
            **node.ends,
        )

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the shape that input 0 holds."""
        return (self.shape,)

    def macs(self, io: Io) -> int:
        """Return input pixels times filter elements."""
        return io.input(1).size * math.prod(io.input(2).shape[:3])

    def wide_rows(self, product: Io) -> int16_products.Rows:
        """Return the channels of a layer between int16."""
        return int16_products.fixed_rows(product, _rows(product), narrow=self.narrow_bias)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Sum the taps exactly (integers in float64), then requantise."""
        ends = _product(io)
        quantised = ends.x.dtype is not DType.FLOAT32
        x = np.asarray(inputs[2], np.float64) - (ends.x.q.zero_point if quantised else 0)
        channels = self.shape[3]
        acc = self._spread(x, ends.input(1).values.astype(np.float64))
        if ends.x.dtype is DType.INT16:
            return (int16_products.finish(acc, self.wide_rows(ends), io.y, self.activation),)
        acc = acc + products.bias_values(ends.optional(2), channels)
        if not quantised:
            return (products.clamp_float(acc, self.activation),)
        mult = products.channel_multipliers(ends.x, ends.input(1), io.y, channels)
        acc = acc.astype(np.int64)
        return (products.finish(acc, mult, io.y, self.activation, single=False),)

    def _spread(self, x: Array, weights: Array) -> Array:
        """Return the sums at every output pixel; what falls over the border is lost."""
        (kh, kw), (sh, sw) = self.window.kernel, self.window.stride
        batch, high, wide, channels = self.shape
        top, left = self.window.before
        span = ((x.shape[1] - 1) * sh + 1, (x.shape[2] - 1) * sw + 1)
        room = (max(span[0] + kh, top + high), max(span[1] + kw, left + wide))
        full = np.zeros((batch, *room, channels))
        for ky in range(kh):
            for kx in range(kw):
                taps = np.tensordot(x, weights[:, ky, kx, :], axes=([3], [1]))
                full[:, ky : ky + span[0] : sh, kx : kx + span[1] : sw] += taps
        return full[:, top : top + high, left : left + wide]

    def lower(self, io: Io) -> Step:
        """Return the kernel, which collects the taps of each output pixel."""
        ends = _product(io)
        weights = ends.input(1)
        if ends.x.dtype is DType.INT16:
            rows16 = self.wide_rows(ends)
            return int16_products.transposed(ends, rows16, self.window, self.activation)
        shape = {
            **dict(zip(("batches", "in_h", "in_w", "in_ch"), ends.x.shape, strict=True)),
            **dict(zip(("out_h", "out_w", "out_ch"), self.shape[1:], strict=True)),
            **{k: v for k, v in self.window.fields.items() if "dilation" not in k},
        }
        values = Const(weights.values, "(out_ch, kh, kw, in_ch)")
        bias = products.bias_values(ends.optional(2), self.shape[3])
        if ends.x.dtype is DType.FLOAT32:
            least, most = float_bounds(self.activation)
            limits: dict[str, float] = {"out_min": least, "out_max": most}
            starts = Const(bias.astype(np.float32), "(out_ch)")
            return Step(
                "edgec_transpose_conv_float32",
                {"weights": values, "bias": starts, **shape, **limits},
                inputs=(2,),
            )
        mult = products.channel_multipliers(ends.x, weights, io.y, self.shape[3])
        low, high = activation_range(self.activation, io.y)
        return Step(
            "edgec_transpose_conv_int8",
            {
                "weights": values,
                "channels": products.channel_stream(bias, mult),
                **shape,
                "in_zero_point": ends.x.q.zero_point,
                "out_zero_point": io.y.q.zero_point,
                "out_min": low,
                "out_max": high,
            },
            inputs=(2,),
        )
