"""What element-wise ops of two inputs share: broadcasting, scales, and the kernels' parameters."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from edgec.codegen import broadcast, float_vectors
from edgec.codegen.constraints import (
    all_inputs_alike,
    inputs,
    int8_or_float32,
    integers_or_float32,
    symmetric_int16,
)
from edgec.codegen.quantmath import (
    activation_range,
    float_bounds,
    nearest_power_of_two,
    quantize_multiplier,
    requantize_double,
)
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step, Value
from edgec.pipeline.graph import Activation, Array, DType, Rounding

LIMITS = (inputs(2), int8_or_float32, all_inputs_alike, broadcast.shapes_broadcast)
"""The constraints that all of these ops have."""

WIDE_LIMITS = (
    inputs(2),
    integers_or_float32,
    all_inputs_alike,
    symmetric_int16,
    broadcast.shapes_broadcast,
)
"""The constraints of those that take int16, too."""

SUM_LEFT_SHIFT, _WIDE_SUM_LEFT_SHIFT = 20, 15
"""Head room that TFLite gives both inputs of a sum, int8 or int16, before they are rescaled."""

VECTOR_KERNELS = frozenset({"ADD", "DIV", "MAXIMUM", "MINIMUM", "MUL", "SQUARED_DIFFERENCE", "SUB"})
"""Ops whose float32 kernel has a twin for vector units."""

Scale = tuple[int, int]
"""A multiplier and its shift."""

UNSCALED: Scale = (0, 0)
"""The scale of an end that the op does not rescale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BinaryOp(KernelOp):
    """An op whose output elements each come from one element of both inputs."""

    constraints: ClassVar[tuple[Any, ...]] = LIMITS
    banded: ClassVar[bool] = True

    activation: Activation = Activation.NONE

    @abstractmethod
    def scales(self, io: Io) -> tuple[Scale, Scale, Scale]:
        """Return how the int8 kernel rescales first input, second input and result."""

    @abstractmethod
    def real(self, a: Array, b: Array) -> Array:
        """Compute float32 elements, before the activation."""

    @abstractmethod
    def integer(self, io: Io, a: Array, b: Array) -> Array:
        """Compute int8 elements, zero points taken off, before the activation."""

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the broadcast shape."""
        return (np.broadcast_shapes(io.x.shape, io.input(1).shape),)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Compute every element; int8 in the fixed point of TFLite's reference kernel."""
        a, b = np.asarray(inputs[0]), np.asarray(inputs[1])
        if io.x.dtype is DType.FLOAT32:
            out = np.broadcast_to(self.real(a, b), io.y.shape)
            if self.activation is not Activation.NONE:
                out = np.clip(out, *self.activation.bounds)
            return (out.astype(np.float32),)
        a = a.astype(np.int64) - io.x.q.zero_point
        b = b.astype(np.int64) - io.input(1).q.zero_point
        out = self.integer(io, a, b) + io.y.q.zero_point
        low, high = activation_range(self.activation, io.y)
        return (np.clip(out, low, high).astype(io.y.dtype.numpy),)

    def lower(self, io: Io) -> Step:
        """Return the op's broadcasting kernel."""
        loops = broadcast.loops(io)
        kernel = f"edgec_{self.builtin.lower()}_{io.x.dtype.value}"
        if io.x.dtype is DType.FLOAT32:
            least, most = float_bounds(self.activation)
            ends: dict[str, float] = {"out_min": least, "out_max": most}
            step = Step(kernel, {**loops, **ends}, inputs=(0, 1), in_place=(0, 1))
            return float_vectors.plain_cost(step, 10 * io.y.size)
        first, second, out = self.scales(io)
        low, high = activation_range(self.activation, io.y)
        zeros: dict[str, Value] = {
            "zero_point1": io.x.q.zero_point,
            "zero_point2": io.input(1).q.zero_point,
            "out_zero_point": io.y.q.zero_point,
        }
        return Step(
            kernel,
            {
                **loops,
                "multiplier1": first[0],
                "shift1": first[1],
                "multiplier2": second[0],
                "shift2": second[1],
                "out_multiplier": out[0],
                "out_shift": out[1],
                **(zeros if io.x.dtype is DType.INT8 else {}),
                "out_min": low,
                "out_max": high,
            },
            inputs=(0, 1),
            in_place=(0, 1),
        )

    def variants(self, io: Io, features: frozenset[str]) -> tuple[Step, ...]:
        """Return the float32 kernel for vector units."""
        if io.x.dtype is not DType.FLOAT32 or self.builtin not in VECTOR_KERNELS:
            return ()
        return float_vectors.element_variants(io, features, self.lower(io))


def sum_left_shift(io: Io) -> int:
    """Return the head room of both inputs of a sum."""
    return _WIDE_SUM_LEFT_SHIFT if io.x.dtype is DType.INT16 else SUM_LEFT_SHIFT


def reads_power_of_two(node: Node) -> bool:
    """Return whether a sum between int16 is the one of scales that are powers of two.

    AddOptions and SubOptions, 1 pot_scale_int16, which is true where the file leaves it out.
    """
    ends = (*node.inputs, *node.outputs)
    if node.input(0).dtype is not DType.INT16 or not node.options.boolean(1, True):
        return False
    scales = [t.q.scale for t in ends if t is not None and t.quant and not t.quant.per_channel]
    return len(scales) == len(ends) and all(nearest_power_of_two(s) is not None for s in scales)


def general_scales(op: Any, io: Io) -> bool:
    """Between int16, pot_scale_int16 is false, or not every scale is a power of two."""
    return not op.power_of_two


def common_scales(
    io: Io, left_shift: int, power: int, precision: type[np.floating[Any]] = np.float64
) -> tuple[Scale, Scale, Scale]:
    """Return the scales that bring both inputs to twice the larger scale, and from there to y.

    Values carry `left_shift` more bits; the result is of degree `power` in them. Source: Prepare
    in TFLite `kernels/{add,sub,squared_difference}.cc`.
    """
    two, steps = precision(2), precision(1 << left_shift * power)

    def result(x1: Any, x2: Any, y: Any) -> Any:
        largest = two * max(x1, x2)
        return (largest if power == 1 else largest * largest) / (steps * y)

    return (
        scale_of(io, precision, lambda x1, x2, y: x1 / (two * max(x1, x2))),
        scale_of(io, precision, lambda x1, x2, y: x2 / (two * max(x1, x2))),
        scale_of(io, precision, result),
    )


def rescaled(a: Array, b: Array, scales: tuple[Scale, ...], left_shift: int) -> tuple[Array, Array]:
    """Return both inputs as int32 values at the scale that `common_scales` brings them to."""
    first, second, *_ = scales
    return requantize_double(a << left_shift, *first), requantize_double(b << left_shift, *second)


def scale_of(
    io: Io, precision: type[np.floating[Any]], formula: Callable[[Any, Any, Any], Any]
) -> Scale:
    """Return a scale made of those of both inputs and the output, computed in `precision`."""
    scales = (precision(t.q.scale) for t in (io.x, io.input(1), io.y))
    with np.errstate(all="ignore"):  # what is not finite is refused below
        return quantize_multiplier(float(formula(*scales)))


def product_precision(rounding: Rounding) -> type[np.floating[Any]]:
    """Return what MUL and PRELU compute their scales in: TFLite in float32, TFLM in float64."""
    return np.float32 if rounding is Rounding.TFLITE else np.float64
