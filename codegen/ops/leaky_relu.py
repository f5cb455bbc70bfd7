"""LEAKY_RELU: x where positive, alpha * x elsewhere."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import lookup
from edgec.codegen.binary import Scale
from edgec.codegen.int16_functions import Rescaled, WideFunction
from edgec.codegen.quantmath import quantize_multiplier, requantize_double
from edgec.codegen.rectifier import float32_ratio
from edgec.codegen.registry import Io, Node, Value, register
from edgec.codegen.unary import WIDE_LIMITS, Unary
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class LeakyRelu(Unary):
    """Slope `alpha` (a float32 number) below zero, slope 1 above."""

    builtin: ClassVar[str] = "LEAKY_RELU"
    constraints: ClassVar[tuple[Any, ...]] = WIDE_LIMITS
    kernel: ClassVar[str] = "edgec_leaky_relu_float32"

    alpha: float

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read LeakyReluOptions: 0 alpha."""
        alpha = node.options.float32(0)
        if not math.isfinite(alpha):
            raise UnsupportedModelError(f"alpha is {alpha}, a finite number wanted")
        return cls(alpha=alpha, **node.ends)

    def real(self, x: Array) -> Array:
        """Multiply in float32."""
        return np.where(x > 0, x, x * np.float32(self.alpha))

    def scales(self, io: Io) -> tuple[Scale, Scale]:
        """Return the scales above and below zero; TFLite LeakyReluPrepare."""
        with np.errstate(over="ignore"):
            slope = float(np.float32(io.x.q.scale) * np.float32(self.alpha))
        return (
            quantize_multiplier(float32_ratio(io.x.q.scale, io.y.q.scale)),
            quantize_multiplier(float32_ratio(slope, io.y.q.scale)),
        )

    def wide(self, io: Io) -> WideFunction:
        """Rescale in fixed point, as for int8."""
        return Rescaled(*self.scales(io), io.y.dtype.range)

    def table(self, io: Io) -> Array:
        """Rescale in fixed point; TFLite QuantizeLeakyRelu."""
        identity, (multiplier, shift) = self.scales(io)
        centred = lookup.codes(io.x) - io.x.q.zero_point
        below = requantize_double(centred, abs(multiplier), shift)
        below = -below if multiplier < 0 else below
        scaled = np.where(centred >= 0, requantize_double(centred, *identity), below)
        return lookup.saturate(scaled + io.y.q.zero_point, io.y)

    @property
    def fields(self) -> dict[str, Value]:
        """The slope."""
        return {"alpha": self.alpha}
