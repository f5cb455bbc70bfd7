"""ELU: x where positive, exp(x) - 1 elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgec.codegen.registry import register
from edgec.codegen.unary import Unary, in_double
from edgec.pipeline.graph import Array


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Elu(Unary):
    """Exponential linear unit with alpha 1."""

    builtin: ClassVar[str] = "ELU"
    kernel: ClassVar[str] = "edgec_elu_float32"

    def real(self, x: Array) -> Array:
        """Round once."""
        return np.where(x < 0, in_double(np.expm1, np.minimum(x, 0)), x)
