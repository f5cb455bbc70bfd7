"""EXP: natural exponential."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from edgec.codegen.registry import register
from edgec.codegen.unary import WIDE_LIMITS, Unary, in_double
from edgec.pipeline.graph import Array


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Exp(Unary):
    """e to the power of each element."""

    builtin: ClassVar[str] = "EXP"
    constraints: ClassVar[tuple[Any, ...]] = WIDE_LIMITS
    kernel: ClassVar[str] = "edgec_exp_float32"

    def real(self, x: Array) -> Array:
        """Round once; values out of range become infinite."""
        return in_double(np.exp, x)
