"""CONV_2D: sliding products over height and width, in groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import (
    float_vectors,
    float_windows,
    int16_dsp,
    int16_products,
    mve_products,
    products,
    thumb1,
    thumb2,
    vector_products,
)
from edgec.codegen.constraints import four_dimensions, inputs, small_dimensions
from edgec.codegen.dsp_products import LANE, Rows, packed_rows, quadruple_rows
from edgec.codegen.quantmath import activation_range, float_bounds
from edgec.codegen.registry import Const, Cost, Io, KernelOp, Node, Shape, Step, register
from edgec.codegen.sparse_products import sparse_steps
from edgec.codegen.stored_steps import stored_steps
from edgec.codegen.vector_image import has_vectors
from edgec.codegen.window import Window, height_width
from edgec.codegen.winograd import transformed_filter
from edgec.pipeline.graph import Activation, Array, DType

_BLOCK = 4
"""Output channels that the kernel for SMLAD makes at a time."""


def filter_fits(op: KernelOp, io: Io) -> bool:
    """The filter is (out_ch, kh, kw, in_ch / groups), quantised along out_ch if it has an axis.

    Groups divide both channel counts.
    """
    shape, quant = io.input(1).shape, io.input(1).quant
    if len(shape) != 4 or io.x.shape[3] % shape[3]:
        return False
    if quant is not None and quant.per_channel and quant.axis != 0:
        return False
    return shape[0] % (io.x.shape[3] // shape[3]) == 0


def window_fits(op: Conv2D, io: Io) -> bool:
    """The window is no larger than the padded input."""
    return min(op.window.output((io.x.shape[1], io.x.shape[2]))) > 0


def _rows(io: Io) -> Array:
    weights = io.input(1).values
    return weights.reshape(weights.shape[0], -1)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Conv2D(KernelOp):
    """2-D convolution; groups follow from the channels of input and filter."""

    builtin: ClassVar[str] = "CONV_2D"
    banded: ClassVar[bool] = True
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(2, 3),
        four_dimensions,
        small_dimensions,
        products.product_types,
        products.constant_weights,
        filter_fits,
        products.bias_fits(lambda io: io.input(1).shape[0]),
        products.accumulator_fits(_rows),
        *int16_products.LIMITS,
        window_fits,
    )

    window: Window
    activation: Activation
    narrow_bias: bool = False

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read Conv2DOptions: 0 padding, 1-2 stride w h, 3 activation, 4-5 dilation w h, 6 bias."""
        o, x, w = node.options, node.input(0).shape, node.input(1).shape
        window = Window.of_padding(
            o.int8(0),
            height_width(x),
            height_width(w),
            (o.int32(2), o.int32(1)),
            (o.int32(5, 1), o.int32(4, 1)),
        )
        narrow = int16_products.narrow_bias(node, 6)
        return cls(window=window, activation=Activation(o.int8(3)), narrow_bias=narrow, **node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return (batch, out_h, out_w, out_ch)."""
        batch, high, wide, _ = io.x.shape
        return ((batch, *self.window.output((high, wide)), io.input(1).shape[0]),)

    def macs(self, io: Io) -> int:
        """Return output elements times filter taps."""
        return io.y.size * io.input(1).size // io.input(1).shape[0]

    def wide_rows(self, io: Io) -> int16_products.Rows:
        """Return the channels of a layer between int16."""
        return int16_products.fixed_rows(io, _rows(io), narrow=self.narrow_bias)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Sum the taps exactly (integers in float64), then requantise."""
        quantised = io.x.dtype is not DType.FLOAT32
        x = np.asarray(inputs[0], np.float64) - (io.x.q.zero_point if quantised else 0)
        weights = io.input(1).values
        taps = self.window.taps(x, 0.0)
        groups = io.x.shape[3] // weights.shape[3]
        sums = [
            np.tensordot(a, w.astype(np.float64), axes=([3, 4, 5], [1, 2, 3]))
            for a, w in zip(np.split(taps, groups, 5), np.split(weights, groups, 0), strict=True)
        ]
        acc = np.concatenate(sums, axis=3)
        if io.x.dtype is DType.INT16:
            return (int16_products.finish(acc, self.wide_rows(io), io.y, self.activation),)
        acc = acc + products.bias_values(io.optional(2), len(weights))
        if not quantised:
            return (products.clamp_float(acc, self.activation),)
        mult = products.channel_multipliers(io.x, io.input(1), io.y, len(weights))
        acc = acc.astype(np.int64)
        return (products.finish(acc, mult, io.y, self.activation, single=False),)

    def lower(self, io: Io) -> Step:
        """Return the direct kernel; integers gather windows larger than a pixel into scratch."""
        if io.x.dtype is DType.INT16:
            rows16 = self.wide_rows(io)
            return int16_products.convolution(io, rows16, self.window, self.activation)
        weights = io.input(1)
        win = self.window
        shape = {
            **dict(zip(("batches", "in_h", "in_w", "in_ch"), io.x.shape, strict=True)),
            **dict(zip(("out_h", "out_w", "out_ch"), io.y.shape[1:], strict=True)),
            "groups": io.x.shape[3] // weights.shape[3],
            **win.fields,
        }
        values = Const(weights.values, "(out_ch, kh, kw, in_ch / groups)")
        if io.x.dtype is DType.FLOAT32:
            bias = products.bias_values(io.optional(2), weights.shape[0]).astype(np.float32)
            low, high = float_bounds(self.activation)
            ends: dict[str, float] = {"out_min": low, "out_max": high}
            step = Step(
                "edgec_conv_2d_float32",
                {"weights": values, "bias": Const(bias, "(out_ch)"), **shape, **ends},
                accesses=win.accesses(io.x, io.y),
            )
            return float_vectors.plain_cost(step, 4 * self.macs(io))
        rows = _rows(io)
        mult = products.channel_multipliers(io.x, weights, io.y, len(rows))
        low, high = activation_range(self.activation, io.y)
        pointwise = win.kernel == (1, 1) and not win.padded and shape["groups"] == 1
        return Step(
            "edgec_conv_2d_int8",
            {
                "weights": values,
                "channels": products.channel_stream(
                    products.folded_bias(io.x, rows, io.optional(2)), mult
                ),
                **shape,
                "in_zero_point": io.x.q.zero_point,
                "out_zero_point": io.y.q.zero_point,
                "out_min": low,
                "out_max": high,
            },
            scratch_bytes=0 if pointwise else rows.shape[1],
            accesses=win.accesses(io.x, io.y),
            cost=Cost(self._portable_instructions(io), rows.size + 12 * len(rows)),
        )

    def _winograd(self, io: Io) -> Step | None:
        """Return the kernel that saves multiplications, and costs flash: 3x3 of stride 1."""
        win, weights = self.window, io.input(1)
        out_ch, _, _, in_ch = weights.shape
        if (win.kernel, win.stride, win.dilation) != ((3, 3), (1, 1), (1, 1)):
            return None
        if in_ch % 8 or out_ch % _BLOCK:
            return None
        plain = _rows(io).astype(np.int64)
        bias = products.folded_bias(io.x, plain, io.optional(2))
        mult = products.channel_multipliers(io.x, weights, io.y, out_ch)
        found = quadruple_rows(Rows(plain, bias, mult), io.y, self.activation)
        if found is None:
            return None
        rows, stream = found
        words = transformed_filter(rows.reshape(weights.shape), _BLOCK)
        low, high = activation_range(self.activation, io.y)
        return Step(
            "edgec_conv_2d_int8_dsp_winograd",
            {
                "weights": Const(words, "(out_ch / 4, 16 points, in_ch / 2, 4)"),
                "channels": Const(stream, "(out_ch, {4 * bias, scale, finish})"),
                **dict(zip(("batches", "in_h", "in_w", "in_ch"), io.x.shape, strict=True)),
                **dict(zip(("out_h", "out_w", "out_ch"), io.y.shape[1:], strict=True)),
                "pad_top": win.before[0],
                "pad_left": win.before[1],
                "in_zero_point": io.x.q.zero_point,
                "out_min": low,
                "out_max": high,
            },
            scratch_bytes=65 * in_ch + 512,
            accesses=win.accesses(io.x, io.y, rows=2),
            cost=Cost(self._winograd_instructions(io), words.nbytes + stream.nbytes),
        )

    def _winograd_instructions(self, io: Io) -> int:
        """Return what Winograd's kernel takes, by loop lengths, the rest fitted."""
        batches, high, wide, out_ch = io.y.shape
        in_ch = io.x.shape[3]
        clamped = activation_range(self.activation, io.y) != io.y.dtype.range
        block = 16 * (47 * in_ch // 8 + 13) + 750 + 250 * clamped
        tiles = batches * -(-high // 2) * -(-wide // 4)
        return tiles * (out_ch // _BLOCK * block + 110 * in_ch + 500)

    def _portable_instructions(self, io: Io) -> int:
        """Return what the direct kernel takes: fitted to counts on a Cortex-M3."""
        out_ch, kh, kw, in_ch = io.input(1).shape
        depth = kh * kw * in_ch
        gather = 46 * kh * kw + 14 * depth // 10 if kh * kw > 1 or self.window.padded else 0
        sums = out_ch * (47 + 273 * depth // 100) + 2 * (out_ch % 4) * depth
        return io.y.size // out_ch * (82 + gather + sums)

    def _dsp_instructions(self, io: Io, depth: int) -> int:
        """Return what the kernel for SMLAD takes: its loops' lengths, the rest fitted."""
        out_ch, kh, kw, in_ch = io.input(1).shape
        blocks = -(-out_ch // _BLOCK)
        sums = 6 * depth + 3 * (depth // 16) + 3 * (depth % 16 // LANE) + 81
        taps = kh * kw * 30 if in_ch % LANE == 0 else kh * 190
        border = 1 - self.window.inside_share(io.x, io.y)
        widen = 85 + 9 * depth // 4 + 14 * kh + int(border * taps)
        return -(-io.y.size // out_ch // 2) * (blocks * sums + widen)

    def variants(self, io: Io, features: frozenset[str]) -> tuple[Step, ...]:
        """Return the kernels of the core for int8, also for clustered and for sparse weights.

        float32 has kernels for vector units.
        """
        if float_vectors.usable(io, features):
            if io.x.shape[3] != io.input(1).shape[3]:
                return ()
            macs = self.macs(io)
            return (float_windows.convolution(io, self.window, self.activation, features, macs),)
        if io.x.dtype is DType.INT16 and "dsp" in features:
            return int16_dsp.convolution(io, self.wide_rows(io), self.window, self.activation)
        plain = self._plain_variants(io, features)
        known = (self.lower(io), *plain)
        return (*plain, *stored_steps(io, known), *sparse_steps(io, known))

    def _plain_variants(self, io: Io, features: frozenset[str]) -> tuple[Step, ...]:
        """Return the kernels that take every weight: of cores with SMLAD, MVE, or neither."""
        whole = io.x.shape[3] == io.input(1).shape[3]
        if io.x.dtype is DType.INT8 and thumb1.FEATURE in features:
            return (thumb1.conv_step(io, self.window, self.activation),) if whole else ()
        if io.x.dtype is DType.INT8 and thumb2.FEATURE in features:
            step = thumb2.conv_step(io, self.window, self.activation) if whole else None
            return () if step is None else (step,)
        if io.x.dtype is DType.INT8 and has_vectors(features):
            vector = vector_products.convolution(io, self.window, self.activation)
            return () if vector is None else (vector,)
        if "dsp" not in features or io.x.dtype is not DType.INT8:
            return ()
        if "mve" in features:
            step = mve_products.convolution(io, self.window, self.activation)
            if step is not None:
                return (step,)
        if not whole:
            return ()
        return tuple(
            step
            for step in (
                self._dsp(io, compact=False),
                self._dsp(io, compact=True),
                self._winograd(io),
            )
            if step is not None
        )

    def _dsp(self, io: Io, *, compact: bool) -> Step | None:
        """Return the kernel that makes 4 channels of 2 pixels at a time.

        The compact one expands part of its parameters to scratch memory.
        """
        weights, win = io.input(1), self.window
        out_ch, kh, kw, in_ch = weights.shape
        rows_whole = win.dilation[1] == 1 or kw == 1
        runs_w, taps_w = (1, kw) if rows_whole else (kw, 1)
        run = taps_w * in_ch
        run_depth = -(-run // LANE) * LANE
        runs = _rows(io).astype(np.int64).reshape(out_ch, kh * runs_w, run)
        rows = np.pad(runs, ((0, 0), (0, 0), (0, run_depth - run))).reshape(out_ch, -1)
        depth = rows.shape[1]
        bias = products.folded_bias(io.x, rows, io.optional(2))
        mult = products.channel_multipliers(io.x, weights, io.y, out_ch)
        packed = packed_rows(
            Rows(rows, bias, mult), io.y, self.activation, single=False, block=_BLOCK
        )
        if packed is None:
            return None
        scales = packed.scales[..., 0] if compact else packed.scales.reshape(-1, 2 * _BLOCK)
        stream = np.concatenate([packed.starts, scales], axis=1)
        shifts = (packed.scales[..., 1] & 255).astype(np.uint8) if compact else None
        table = 3 * packed.starts.nbytes if compact else 0
        flash = packed.weights.nbytes + stream.nbytes + (packed.starts.size if compact else 0)
        low, high = activation_range(self.activation, io.y)
        blank = in_ch if win.padded or runs_w > 1 else 0
        spare = 3 * run_depth if in_ch % LANE else blank
        return Step(
            "edgec_conv_2d_int8_dsp",
            {
                "weights": Const(packed.weights, "(out_ch / 4, depth / 4, 2 pairs, 2 words)"),
                "channels": Const(stream, "see the kernel's header"),
                "shifts": None if shifts is None else Const(shifts, "(out_ch / 4, 4)"),
                "depth": depth,
                "run": run,
                "run_depth": run_depth,
                **dict(zip(("batches", "in_h", "in_w", "in_ch"), io.x.shape, strict=True)),
                **dict(zip(("out_h", "out_w", "out_ch"), io.y.shape[1:], strict=True)),
                "runs_h": kh,
                "runs_w": runs_w,
                "taps_w": taps_w,
                **{n: v for n, v in win.fields.items() if not n.startswith("kernel")},
                "in_zero_point": io.x.q.zero_point,
                "out_zero_point": io.y.q.zero_point,
                "out_min": low,
                "out_max": high,
            },
            scratch_bytes=4 * depth + table + spare,
            # pixels are made in pairs, which straddle two rows where these are odd
            accesses=win.accesses(io.x, io.y, rows=1 + io.y.shape[2] % 2),
            cost=Cost(self._dsp_instructions(io, depth) + 4 * table, flash),
        )
