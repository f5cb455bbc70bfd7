"""FULLY_CONNECTED: each output is the product of the whole input with one row of weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import (
    float_vectors,
    float_windows,
    hybrid_dense,
    int16_dsp,
    int16_products,
    mve_products,
    products,
    vector_products,
)
from edgec.codegen.constraints import inputs
from edgec.codegen.dsp_products import LANE, Rows, packed_rows
from edgec.codegen.exact_multipliers import exact_multipliers
from edgec.codegen.quantmath import (
    activation_range,
    float_bounds,
    quantize_multiplier,
    requantize_real,
)
from edgec.codegen.registry import Const, Cost, Io, KernelOp, Node, Shape, Step, register
from edgec.codegen.sparse_products import sparse_steps
from edgec.codegen.stored_steps import stored_steps
from edgec.codegen.vector_image import has_vectors
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Activation, Array, DType, Rounding

_BLOCK = 8
"""Rows that the kernel for SMLAD makes at a time."""
_MOST_RESULT = 1 << 30


def weights_fit(op: KernelOp, io: Io) -> bool:
    """The weights are (out_size, in_size), quantised along out_size if they have an axis.

    The input is a whole number of rows.
    """
    shape, quant = io.input(1).shape, io.input(1).quant
    if len(shape) != 2 or io.x.size % shape[1]:
        return False
    return quant is None or not quant.per_channel or quant.axis == 0


def dense_types(op: FullyConnected, io: Io) -> bool:
    """Input and output are int8 or int16 and the weights int8, or all are float32, or all but
    the weights are float32 (dynamic range: int8, zero point 0).
    """
    return hybrid_dense.hybrid_types(io) or products.product_types(op, io)


def hybrid_sum_fits(op: FullyConnected, io: Io) -> bool:
    """In dynamic range a row has at most 65535 products."""
    return not hybrid_dense.is_hybrid(io) or io.input(1).shape[-1] <= 65535


def last_dimension_fits(op: FullyConnected, io: Io) -> bool:
    """Where dimensions are kept, the input's last one is in_size."""
    return not op.keep_dims or io.x.shape[-1:] == io.input(1).shape[1:]


def _rows(io: Io) -> Array:
    return io.input(1).values


def results_fit(op: FullyConnected, io: Io) -> bool:
    """With the rounding of `tflite`, int8 sums at the output's scale stay below 2**30."""
    if io.x.dtype is not DType.INT8 or op.rounding is not Rounding.TFLITE:
        return True
    # where the reference converts more to an integer, what it gets is undefined
    most = np.maximum(*np.abs(products.row_reach(io.x, _rows(io), io.optional(2))))
    return bool(np.all(most * op.scales(io) < _MOST_RESULT))


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class FullyConnected(KernelOp):
    """Dense layer.

    The `tflite` profile rescales in float64, halves away from zero. `tflm` rounds twice, and
    multiplies the scales of whole tensors in float32.
    """

    builtin: ClassVar[str] = "FULLY_CONNECTED"
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(2, 3),
        dense_types,
        products.constant_weights,
        weights_fit,
        hybrid_sum_fits,
        last_dimension_fits,
        products.bias_fits(lambda io: io.input(1).shape[0]),
        products.accumulator_fits(_rows),
        *int16_products.LIMITS,
        results_fit,
    )

    activation: Activation
    keep_dims: bool = False
    narrow_bias: bool = False
    asymmetric: bool = False

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read FullyConnectedOptions.

        0 activation, 1 weights format, 2 keep_num_dims, 3 asymmetric_quantize_inputs, 4 bias.
        """
        if node.options.int8(1) != 0:
            raise UnsupportedModelError("shuffled weights are not supported")
        activation = Activation(node.options.int8(0))
        keep, narrow = node.options.boolean(2), int16_products.narrow_bias(node, 4)
        return cls(
            activation=activation, keep_dims=keep, narrow_bias=narrow,
            asymmetric=node.options.boolean(3), **node.ends,
        )  # fmt: skip

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return (rows, out_size), or the input's shape with the last dimension replaced."""
        out, size = io.input(1).shape
        if self.keep_dims:
            return ((*io.x.shape[:-1], out),)
        return ((io.x.size // size, out),)

    def macs(self, io: Io) -> int:
        """Return weights times input rows."""
        return io.y.size * io.input(1).shape[1]

    def rounds_inputs(self, io: Io) -> bool:
        """Return whether the layer is one of dynamic range."""
        return hybrid_dense.is_hybrid(io)

    def multipliers(self, io: Io) -> Array:
        """Return (multiplier, shift) of every output channel, shape (out_size, 2).

        They are next to its scale. Source of the `tflm` profile: GetQuantizedConvolutionMultipler.
        """
        weights = io.input(1)
        channels = weights.shape[0]
        if self.rounding is Rounding.TFLITE or weights.q.per_channel:
            return products.channel_multipliers(io.x, weights, io.y, channels)
        with np.errstate(all="ignore"):  # what is not finite is refused below
            product = np.float32(io.x.q.scale) * np.float32(weights.q.scale)
        pair = quantize_multiplier(float(product) / io.y.q.scale)
        return np.tile(np.array(pair, np.int64), (channels, 1))

    def scales(self, io: Io) -> Array:
        """Return what the `tflite` profile multiplies each output channel's sums by, float64."""
        return products.channel_scales(io.x, io.input(1), io.y, io.input(1).shape[0])

    def kernel_multipliers(self, io: Io) -> Array | None:
        """Return the multipliers of int8 sums that the kernels take, shape (out_size, 2).

        With the rounding of `tflite` they are ones that answer as float64 for every sum a row can
        have; None if a row has none.
        """
        if self.rounding is not Rounding.TFLITE:
            return self.multipliers(io)
        reach = products.row_reach(io.x, _rows(io), io.optional(2))
        low, high = activation_range(self.activation, io.y)
        zero = io.y.q.zero_point
        return exact_multipliers(self.scales(io), reach, (low - zero, high - zero))

    def finish(self, io: Io, sums: Array) -> Array:
        """Return int8 outputs of sums of products with the bias, channels last."""
        if self.rounding is not Rounding.TFLITE:
            mult = self.multipliers(io)
            return products.finish(sums, mult, io.y, self.activation, single=False)
        out = requantize_real(sums, self.scales(io)) + io.y.q.zero_point
        return np.asarray(np.clip(out, *activation_range(self.activation, io.y)).astype(np.int8))

    def wide_rows(self, io: Io) -> int16_products.Rows:
        """Return the channels of a layer between int16."""
        if self.rounding is Rounding.TFLITE:
            return int16_products.real_rows(io)
        rows = int16_products.fixed_rows(io, _rows(io), narrow=self.narrow_bias)
        return replace(rows, multipliers=self.multipliers(io))

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Multiply exactly (integers in float64), then requantise."""
        if hybrid_dense.is_hybrid(io):
            real = np.asarray(inputs[0])
            dense = hybrid_dense.reference(io, real, self.activation, asymmetric=self.asymmetric)
            return (dense,)
        quantised = io.x.dtype is not DType.FLOAT32
        weights = io.input(1).values
        x = np.asarray(inputs[0], np.float64).reshape(-1, weights.shape[1])
        x = x - (io.x.q.zero_point if quantised else 0)
        acc = x @ weights.T.astype(np.float64)
        if io.x.dtype is DType.INT16:
            out16 = int16_products.finish(acc, self.wide_rows(io), io.y, self.activation)
            return (out16.reshape(io.y.shape),)
        acc = acc + products.bias_values(io.optional(2), len(weights))
        if not quantised:
            return (products.clamp_float(acc, self.activation).reshape(io.y.shape),)
        return (self.finish(io, acc.astype(np.int64)).reshape(io.y.shape),)

    def lower(self, io: Io) -> Step:
        """Return the row-by-row kernel."""
        if io.x.dtype is DType.INT16:
            return int16_products.dense(io, self.wide_rows(io), self.activation)
        if hybrid_dense.is_hybrid(io):
            return hybrid_dense.step(io, self.activation, asymmetric=self.asymmetric)
        weights = io.input(1)
        out, size = weights.shape
        shape = {"batches": io.x.size // size, "in_size": size, "out_size": out}
        values = Const(weights.values, "(out_size, in_size)")
        if io.x.dtype is DType.FLOAT32:
            low, high = float_bounds(self.activation)
            ends: dict[str, float] = {"out_min": low, "out_max": high}
            bias = products.bias_values(io.optional(2), out).astype(np.float32)
            step = Step(
                "edgec_fully_connected_float32",
                {"weights": values, "bias": Const(bias, "(out_size)"), **shape, **ends},
            )
            return float_vectors.plain_cost(step, 4 * self.macs(io))
        mult = self.kernel_multipliers(io)
        low, high = activation_range(self.activation, io.y)
        folded = products.folded_bias(io.x, _rows(io), io.optional(2))
        clamps = {"out_zero_point": io.y.q.zero_point, "out_min": low, "out_max": high}
        if mult is None:
            params = {
                "weights": values,
                "bias": Const(folded.astype(np.int32), "(out_size)"),
                "scales": Const(2.0 * self.scales(io), "(out_size)"),
            }
            return Step(
                "edgec_fully_connected_int8_float64",
                {**params, **shape, **clamps},
                reason="no multiplier rounds as float64",
            )
        return Step(
            "edgec_fully_connected_int8",
            {
                "weights": values,
                "channels": products.channel_stream(folded, mult),
                **shape,
                **clamps,
                "single_rounding": int(self.rounding is Rounding.TFLITE),
            },
            cost=Cost(148 + 276 * self.macs(io) // 100 + 64 * io.y.size, weights.size + 12 * out),
        )

    def variants(self, io: Io, features: frozenset[str]) -> tuple[Step, ...]:
        """Return the kernels of the core for int8, also for clustered and for sparse weights.

        float32 has kernels for vector units.
        """
        if hybrid_dense.is_hybrid(io):
            return self._hybrid_variants(io, features)
        if float_vectors.usable(io, features):
            rows = io.input(1).values
            return (float_windows.dense(io, rows, self.activation, features, self.macs(io)),)
        if io.x.dtype is DType.INT16 and "dsp" in features:
            return int16_dsp.dense(io, self.wide_rows(io), self.activation)
        plain = self._plain_variants(io, features)
        known = (self.lower(io), *plain)
        return (*plain, *stored_steps(io, known), *sparse_steps(io, known))

    def _hybrid_variants(self, io: Io, features: frozenset[str]) -> tuple[Step, ...]:
        if not has_vectors(features):
            return ()
        step = hybrid_dense.vector_step(io, self.activation, asymmetric=self.asymmetric)
        return () if step is None else (step,)

    def _plain_variants(self, io: Io, features: frozenset[str]) -> tuple[Step, ...]:
        """Return the kernel of cores with SMLAD, which makes 8 int8 rows at a time, or MVE."""
        vectors = has_vectors(features)
        if not (vectors or "dsp" in features) or io.x.dtype is not DType.INT8:
            return ()
        mult = self.kernel_multipliers(io)
        if mult is None:
            return ()
        single = self.rounding is Rounding.TFLITE
        if vectors:
            vector = vector_products.fully_connected(io, mult, self.activation, single=single)
            return () if vector is None else (vector,)
        if "mve" in features:
            found = mve_products.fully_connected(io, mult, self.activation, single=single)
            if found is not None:
                return (found,)
        out, size = io.input(1).shape
        rows = np.pad(_rows(io).astype(np.int64), ((0, 0), (0, -size % LANE)))
        bias = products.folded_bias(io.x, rows, io.optional(2))
        packed = packed_rows(
            Rows(rows, bias, mult), io.y, self.activation, single=single, block=_BLOCK
        )
        if packed is None:
            return ()
        scales = packed.scales[0, :1] if packed.uniform else packed.scales
        flash = packed.weights.nbytes + packed.starts.nbytes + scales.nbytes
        low, high = activation_range(self.activation, io.y)
        step = Step(
            "edgec_fully_connected_int8_dsp",
            {
                "weights": Const(packed.weights, "(out_size / 8, in_size / 4, 2 pairs, 4 words)"),
                "starts": Const(packed.starts, "(out_size / 8, 8)"),
                "scales": Const(scales, "(rows, {scale, finish})"),
                "batches": io.x.size // size,
                "in_size": size,
                "out_size": out,
                "per_row": int(not packed.uniform),
                "out_min": low,
                "out_max": high,
                "single_rounding": int(single),
            },
            cost=Cost(self._dsp_instructions(io), flash),
        )
        return (step,)

    def _dsp_instructions(self, io: Io) -> int:
        """Return what the kernel for SMLAD takes: its loops' lengths, the rest fitted."""
        out, size = io.input(1).shape
        blocks = -(-out // _BLOCK)
        sums = 31 * (size // LANE) + 3 * (size // 16) + 3 * (size % 16 // LANE)
        tail = 75 if size % LANE else 0
        return io.x.size // size * (blocks * (sums + tail + 200) + 30)
