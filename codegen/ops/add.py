"""ADD: element-wise sum, with numpy broadcasting."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from edgec.codegen import int16_sum, mve_sum, vector_sum
from edgec.codegen.binary import (
    WIDE_LIMITS,
    BinaryOp,
    Scale,
    common_scales,
    general_scales,
    reads_power_of_two,
    rescaled,
    sum_left_shift,
)
from edgec.codegen.quantmath import activation_range, requantize_double
from edgec.codegen.registry import Cost, Io, Node, Step, register
from edgec.codegen.vector_image import has_vectors
from edgec.pipeline.graph import Activation, Array, DType

_MOST_FIRST_SHIFT, _MOST_SHIFT = 4, 22
"""Right shifts up to which nudges and sums of the kernel for SMMLAR stay within 32 bits."""
_HALF = (1 << 30, 0)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Add(BinaryOp):
    """Sum of two tensors."""

    builtin: ClassVar[str] = "ADD"
    constraints: ClassVar[tuple[Any, ...]] = (*WIDE_LIMITS, general_scales)

    power_of_two: bool = False

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read AddOptions: 0 activation, 1 pot_scale_int16."""
        activation = Activation(node.options.int8(0))
        return cls(activation=activation, power_of_two=reads_power_of_two(node), **node.ends)

    def scales(self, io: Io) -> tuple[Scale, Scale, Scale]:
        """Return the scales of a sum."""
        return common_scales(io, sum_left_shift(io), 1)

    def real(self, a: Array, b: Array) -> Array:
        """Add."""
        return a + b

    def integer(self, io: Io, a: Array, b: Array) -> Array:
        """Add at the common scale."""
        scales = self.scales(io)
        first, second = rescaled(a, b, scales, sum_left_shift(io))
        return requantize_double(first + second, *scales[2])

    def lower(self, io: Io) -> Step:
        """Return the broadcasting kernel."""
        step = BinaryOp.lower(self, io)
        return step if io.x.dtype is DType.FLOAT32 else replace(step, cost=Cost(80 * io.y.size, 0))

    def variants(self, io: Io, features: frozenset[str]) -> tuple[Step, ...]:
        """Return the kernel of cores with SMMLAR, MVE or vectors: two int8 inputs of one shape."""
        if io.x.dtype is DType.FLOAT32:
            return BinaryOp.variants(self, io, features)
        alike = io.x.shape == io.input(1).shape == io.y.shape
        if "dsp" in features and io.x.dtype is DType.INT16 and alike:
            return int16_sum.steps(io, self.scales(io), self.activation)
        if has_vectors(features) and io.x.dtype is DType.INT8 and alike:
            found = vector_sum.add(io, self.scales(io), self.activation)
            return () if found is None else (found,)
        if "dsp" not in features or io.x.dtype is not DType.INT8 or not alike:
            return ()
        if "mve" in features:
            vector = mve_sum.step(io, self.scales(io), self.activation)
            if vector is not None:
                return (vector,)
        # the input of the larger scale is exactly halved
        first, second, out = self.scales(io)
        swap = second != _HALF
        if swap:
            first, second = second, first
        shift1, shift = -first[1], -out[1]
        fits = 0 <= shift1 <= _MOST_FIRST_SHIFT and 1 <= shift <= _MOST_SHIFT
        whole = activation_range(self.activation, io.y) == (-128, 127)
        if second != _HALF or not fits or not whole:
            return ()
        a, b = (io.input(i).q.zero_point for i in ((1, 0) if swap else (0, 1)))
        factor = 1 << 21
        if shift1 == 0:  # the same with a bit to round away, so that there is one way to round
            factor, shift1 = 1 << 22, 1
        params = {
            "factor": factor,
            "offset": -a * factor,
            "nudge1": (1 << (shift1 - 1)) - (b << 19 + shift1),
            "multiplier1": first[0],
            "shift1": shift1,
            "nudge": (1 << (shift - 1)) + (io.y.q.zero_point << shift),
            "multiplier": out[0],
            "shift": shift,
            "size": io.y.size,
        }
        cost = Cost(40 + 29 * io.y.size // 2, 0)
        order = (1, 0) if swap else (0, 1)
        return (Step("edgec_add_int8_dsp", params, inputs=order, in_place=(0, 1), cost=cost),)
