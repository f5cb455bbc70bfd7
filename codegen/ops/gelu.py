"""GELU: x times the normal distribution function of x, exactly or by a tanh."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import float_vectors
from edgec.codegen.registry import Io, Node, Step, register
from edgec.codegen.unary import WIDE_LIMITS, Unary, in_double
from edgec.pipeline.graph import Array, DType

_ROOT_2_OVER_PI = np.float32(math.sqrt(2.0 / math.pi))
_ROOT_HALF = np.float32(math.sqrt(0.5))
_erfc = np.vectorize(math.erfc, otypes=[np.float64])


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Gelu(Unary):
    """Gaussian error linear unit; `approximate` is the form with tanh and a cubic."""

    builtin: ClassVar[str] = "GELU"
    constraints: ClassVar[tuple[Any, ...]] = WIDE_LIMITS
    kernel: ClassVar[str] = "edgec_gelu_float32"

    approximate: bool = False

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read GeluOptions: 0 approximate."""
        return cls(approximate=node.options.boolean(0), **node.ends)

    def real(self, x: Array) -> Array:
        """Compute in float32, in the order of TFLite reference/gelu.h."""
        half = np.float32(0.5) * x
        if not self.approximate:
            return half * in_double(_erfc, x * -_ROOT_HALF)
        cubic = x + np.float32(0.044715) * x * x * x
        return half * (np.float32(1.0) + in_double(np.tanh, _ROOT_2_OVER_PI * cubic))

    def lower(self, io: Io) -> Step:
        """Return the table kernel, or one of the two float32 kernels."""
        step = super(Gelu, self).lower(io)
        if self.approximate and io.x.dtype is DType.FLOAT32:
            return replace(step, kernel="edgec_gelu_tanh_float32")
        return step

    def variants(self, io: Io, features: frozenset[str]) -> tuple[Step, ...]:
        """Return the float32 kernel for vector units."""
        return float_vectors.element_variants(io, features, self.lower(io))
