"""DEPTHWISE_CONV_2D: sliding products of each channel with filters of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import (
    depthwise_planes,
    float_vectors,
    float_windows,
    int16_dsp,
    int16_products,
    mve_depthwise,
    products,
    vector_depthwise,
)
from edgec.codegen.constraints import four_dimensions, inputs, small_dimensions
from edgec.codegen.quantmath import activation_range, float_bounds
from edgec.codegen.registry import Const, Cost, Io, KernelOp, Node, Shape, Step, register
from edgec.codegen.vector_image import has_vectors
from edgec.codegen.window import Window, height_width
from edgec.pipeline.graph import Activation, Array, DType


def filter_fits(op: KernelOp, io: Io) -> bool:
    """The filter is (1, kh, kw, in_ch * multiplier), quantised along its last dimension."""
    weights = io.input(1)
    if len(weights.shape) != 4 or weights.shape[0] != 1 or weights.shape[3] % io.x.shape[3]:
        return False
    return weights.quant is None or not weights.quant.per_channel or weights.quant.axis == 3


def window_fits(op: DepthwiseConv2D, io: Io) -> bool:
    """The window is no larger than the padded input."""
    return min(op.window.output((io.x.shape[1], io.x.shape[2]))) > 0


def _rows(io: Io) -> Array:
    weights = io.input(1).values
    return weights.reshape(-1, weights.shape[3]).T


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class DepthwiseConv2D(KernelOp):
    """2-D depthwise convolution; the depth multiplier follows from input and filter channels."""

    builtin: ClassVar[str] = "DEPTHWISE_CONV_2D"
    banded: ClassVar[bool] = True
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(2, 3),
        four_dimensions,
        small_dimensions,
        products.product_types,
        products.constant_weights,
        filter_fits,
        products.bias_fits(lambda io: io.input(1).shape[3]),
        products.accumulator_fits(_rows),
        *int16_products.LIMITS,
        int16_products.row_fits,
        window_fits,
    )

    window: Window
    activation: Activation

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read DepthwiseConv2DOptions: 0 padding, 1-2 stride w h, 4 activation, 5-6 dilation."""
        o, x, w = node.options, node.input(0).shape, node.input(1).shape
        window = Window.of_padding(
            o.int8(0),
            height_width(x),
            height_width(w),
            (o.int32(2), o.int32(1)),
            (o.int32(6, 1), o.int32(5, 1)),
        )
        return cls(window=window, activation=Activation(o.int8(4)), **node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return (batch, out_h, out_w, in_ch * multiplier)."""
        batch, high, wide, _ = io.x.shape
        return ((batch, *self.window.output((high, wide)), io.input(1).shape[3]),)

    def macs(self, io: Io) -> int:
        """Return output elements times kernel size."""
        return io.y.size * self.window.kernel[0] * self.window.kernel[1]

    def wide_rows(self, io: Io) -> int16_products.Rows:
        """Return the channels of a layer between int16."""
        return int16_products.fixed_rows(io, _rows(io))

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Sum the taps exactly (integers in float64), then requantise."""
        quantised = io.x.dtype is not DType.FLOAT32
        x = np.asarray(inputs[0], np.float64) - (io.x.q.zero_point if quantised else 0)
        weights = io.input(1).values
        channels = weights.shape[3]
        taps = np.repeat(self.window.taps(x, 0.0), channels // io.x.shape[3], axis=5)
        acc = np.einsum("byxijc,ijc->byxc", taps, weights[0].astype(np.float64))
        if io.x.dtype is DType.INT16:
            return (int16_products.finish(acc, self.wide_rows(io), io.y, self.activation),)
        acc = acc + products.bias_values(io.optional(2), channels)
        if not quantised:
            return (products.clamp_float(acc, self.activation),)
        mult = products.channel_multipliers(io.x, io.input(1), io.y, channels)
        acc = acc.astype(np.int64)
        return (products.finish(acc, mult, io.y, self.activation, single=False),)

    def lower(self, io: Io) -> Step:
        """Return the direct kernel."""
        if io.x.dtype is DType.INT16:
            rows16 = self.wide_rows(io)
            return int16_products.depthwise(io, rows16, self.window, self.activation)
        weights = io.input(1)
        channels = weights.shape[3]
        shape = {
            **dict(zip(("batches", "in_h", "in_w", "in_ch"), io.x.shape, strict=True)),
            "out_h": io.y.shape[1],
            "out_w": io.y.shape[2],
            "multiplier": channels // io.x.shape[3],
            **self.window.fields,
        }
        values = Const(weights.values, "(1, kh, kw, in_ch * multiplier)")
        bias = products.bias_values(io.optional(2), channels)
        if io.x.dtype is DType.FLOAT32:
            low, high = float_bounds(self.activation)
            ends: dict[str, float] = {"out_min": low, "out_max": high}
            starts = Const(bias.astype(np.float32), "(out_ch)")
            step = Step(
                "edgec_depthwise_conv_2d_float32",
                {"weights": values, "bias": starts, **shape, **ends},
                accesses=self.window.accesses(io.x, io.y),
            )
            return float_vectors.plain_cost(step, 10 * self.macs(io))
        mult = products.channel_multipliers(io.x, weights, io.y, channels)
        low, high = activation_range(self.activation, io.y)
        return Step(
            "edgec_depthwise_conv_2d_int8",
            {
                "weights": values,
                "channels": products.channel_stream(bias, mult),
                **shape,
                "in_zero_point": io.x.q.zero_point,
                "out_zero_point": io.y.q.zero_point,
                "out_min": low,
                "out_max": high,
            },
            accesses=self.window.accesses(io.x, io.y),
            cost=Cost(self._portable_instructions(io), weights.size + 12 * channels),
        )

    def _portable_instructions(self, io: Io) -> int:
        """Return what the direct kernel takes: fitted to counts on a Cortex-M3."""
        channels = io.y.shape[3]
        taps = self.window.taps_inside(io.x, io.y) * channels
        return 90 * io.y.size + 14 * taps + 100 * (io.y.size // channels)

    def variants(self, io: Io, features: frozenset[str]) -> tuple[Step, ...]:
        """Return the kernels for int8, 3x3, no multiplier: for any core, for SMLAD and MVE.

        float32 without multiplier has one for vector units.
        """
        if io.x.dtype is DType.INT16 and "dsp" in features:
            return int16_dsp.depthwise(io, self.wide_rows(io), self.window, self.activation)
        if float_vectors.usable(io, features) and io.x.shape[3] == io.y.shape[3]:
            return (float_windows.depthwise(io, self.window, self.activation, features),)
        if io.x.dtype is not DType.INT8:
            return ()
        steps = [depthwise_planes.plane_step(io, self.window, self.activation)]
        if "dsp" in features:
            steps.append(depthwise_planes.pairs_step(io, self.window, self.activation))
        if "mve" in features:
            steps.append(mve_depthwise.step(io, self.window, self.activation))
        if has_vectors(features):
            steps.append(vector_depthwise.step(io, self.window, self.activation, features))
        return tuple(step for step in steps if step is not None)
