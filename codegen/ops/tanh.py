"""TANH: hyperbolic tangent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgec.codegen.registry import register
from edgec.codegen.unary import Unary, in_double
from edgec.pipeline.graph import Array


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Tanh(Unary):
    """Hyperbolic tangent of each element."""

    builtin: ClassVar[str] = "TANH"
    kernel: ClassVar[str] = "edgec_tanh_float32"

    def real(self, x: Array) -> Array:
        """Round once."""
        return in_double(np.tanh, x)
