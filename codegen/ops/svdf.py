"""SVDF: a dense layer over time as a product of two thin ones, with a memory of features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import products
from edgec.codegen.quantmath import (
    float_bounds,
    quantize_multiplier,
    requantize_double,
    wrap_int32,
)
from edgec.codegen.registry import Const, Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Activation, Array, DType

_INT8 = (DType.INT8, DType.INT8, DType.INT16, DType.INT32, DType.INT16, DType.INT8)
FEATURE, TIME, BIAS, STATE = 1, 2, 3, 4


def five_inputs(op: KernelOp, io: Io) -> bool:
    """There are five inputs, of which only the bias may be absent."""
    return len(io.inputs) == 5 and all(io.inputs[i] for i in (0, FEATURE, TIME, STATE))


def svdf_types(op: KernelOp, io: Io) -> bool:
    """All is float32; or input, feature weights and output are int8, time weights and state int16.

    Integers have one scale each, weights and state zero point 0, and the bias is int32.
    """
    ends = (*io.inputs[:5], io.y)
    if io.x.dtype is DType.FLOAT32:
        return all(t is None or t.dtype is DType.FLOAT32 for t in ends)
    if not all(t is None or t.dtype is kind for t, kind in zip(ends, _INT8, strict=True)):
        return False
    scaled = (io.x, io.input(FEATURE), io.input(TIME), io.input(STATE), io.y)
    if any(t.quant is None or t.quant.per_channel for t in scaled):
        return False
    return not any(io.input(i).q.zero_point for i in (FEATURE, TIME, STATE))


def relu_if_int8(op: Svdf, io: Io) -> bool:
    """The activation of an int8 SVDF is RELU, as the reference kernel wants it."""
    return io.x.dtype is DType.FLOAT32 or op.activation is Activation.RELU


def weights_are_constant(op: KernelOp, io: Io) -> bool:
    """Weights and bias are constant, and the state is a variable."""
    constants = (io.input(FEATURE), io.input(TIME), io.optional(BIAS))
    return io.input(STATE).variable and all(t is None or t.data is not None for t in constants)


def sizes_fit(op: Svdf, io: Io) -> bool:
    """Input (batch, in), feature (filters, in), time (filters, memory), state (batch, the rest)."""
    feature, time = io.input(FEATURE).shape, io.input(TIME).shape
    if not len(io.x.shape) == len(feature) == len(time) == 2 or feature[0] % op.rank:
        return False
    state = (io.x.shape[0], feature[0] * time[1])
    fits = feature[1] == io.x.shape[1] and time[0] == feature[0]
    bias = io.optional(BIAS)
    units = feature[0] // op.rank
    return fits and io.input(STATE).shape == state and (bias is None or bias.shape == (units,))


def features_fit_int32(op: KernelOp, io: Io) -> bool:
    """The sum of a feature's products fits 32 bits for every input."""
    reach = np.abs(io.input(FEATURE).values.astype(np.float64)).sum(axis=1)
    return io.x.dtype is DType.FLOAT32 or bool(np.all(reach * 384 < 2**31))


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Svdf(KernelOp):
    """An int8 output's range is its RELU, as in TFLite: nothing is cut off at the zero point."""

    builtin: ClassVar[str] = "SVDF"
    constraints: ClassVar[tuple[Any, ...]] = (
        five_inputs,
        svdf_types,
        relu_if_int8,
        weights_are_constant,
        sizes_fit,
        features_fit_int32,
    )

    rank: int
    activation: Activation

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read SVDFOptions: 0 rank, 1 activation."""
        rank, code = node.options.int32(0), node.options.int8(1)
        if rank < 1:
            raise UnsupportedModelError(f"rank {rank}, at least 1 wanted")
        if not 0 <= code <= 3:
            raise UnsupportedModelError(f"activation code {code} is not supported")
        return cls(rank=rank, activation=Activation(code), **node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return (batch, units)."""
        return ((io.x.shape[0], io.input(FEATURE).shape[0] // self.rank),)

    def macs(self, io: Io) -> int:
        """Return the products with both weights."""
        return io.x.shape[0] * (io.input(FEATURE).size + io.input(TIME).size)

    def _scales(self, io: Io) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return (multiplier, shift) to the state and to the output; TFLite kernels/svdf.cc."""
        state = io.input(STATE).q.scale
        first = io.x.q.scale * io.input(FEATURE).q.scale / state
        second = state * io.input(TIME).q.scale / io.y.q.scale
        return quantize_multiplier(first), quantize_multiplier(second)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Compute the output of one inference from a given state; zero where none is given."""
        batch, units = self.shapes(io)[0]
        weights, time = io.input(FEATURE).values, io.input(TIME).values
        exact = io.x.dtype is DType.INT8
        kind = np.int64 if exact else np.float32
        before = inputs[STATE] if len(inputs) > STATE else None
        state = np.zeros(io.input(STATE).shape) if before is None else before
        memory = np.array(state, kind).reshape(batch, *time.shape)
        x = np.asarray(inputs[0]).astype(kind) - (io.x.q.zero_point if exact else 0)
        feature = x @ weights.T.astype(kind)
        bias = products.bias_values(io.optional(BIAS), units).astype(kind)
        if not exact:
            memory[:, :, -1] = feature
            sums = (memory * time).sum(axis=2).reshape(batch, units, self.rank).sum(axis=2)
            return (products.clamp_float(sums + bias, self.activation),)
        to_state, to_output = self._scales(io)
        memory[:, :, -1] = np.clip(requantize_double(feature, *to_state), -(2**15), 2**15 - 1)
        sums = (memory * time.astype(np.int64)).reshape(batch, units, -1).sum(axis=2) + bias
        out = requantize_double(wrap_int32(sums), *to_output) + io.y.q.zero_point
        return (np.clip(out, -128, 127).astype(np.int8),)

    def lower(self, io: Io) -> Step:
        """Return the kernel that goes through all filters of a unit at once."""
        feature, time, bias = io.input(FEATURE), io.input(TIME), io.optional(BIAS)
        batch, units = io.y.shape
        sizes = {
            "batches": batch,
            "in_size": io.x.shape[1],
            "units": units,
            "rank": self.rank,
            "memory": time.shape[1],
        }
        exact = io.x.dtype is DType.INT8
        start = products.bias_values(bias, units).astype(np.int32 if exact else np.float32)
        weights = {
            "feature": Const(feature.values, "(filter, in_size)"),
            "time": Const(time.values, "(filter, memory)"),
            "bias": Const(start, "(unit)"),
        }
        if not exact:
            low, high = float_bounds(self.activation)
            ends: dict[str, float] = {"out_min": low, "out_max": high}
            return Step("edgec_svdf_float32", {**weights, **sizes, **ends}, inputs=(0, STATE))
        (first, first_shift), (second, second_shift) = self._scales(io)
        folded = products.folded_bias(io.x, feature.values, None).astype(np.int32)
        return Step(
            "edgec_svdf_int8",
            {
                **weights,
                "feature_bias": Const(folded, "(filter)"),
                **sizes,
                "state_multiplier": first,
                "state_shift": first_shift,
                "out_multiplier": second,
                "out_shift": second_shift,
                "out_zero_point": io.y.q.zero_point,
            },
            inputs=(0, STATE),
        )
