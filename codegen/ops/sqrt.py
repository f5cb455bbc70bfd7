"""SQRT: square root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from edgec.codegen.constraints import inputs
from edgec.codegen.registry import register
from edgec.codegen.unary import Unary, float32_only
from edgec.pipeline.graph import Array


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Sqrt(Unary):
    """Square root of each element; float32, as TFLite has no int8 kernel."""

    builtin: ClassVar[str] = "SQRT"
    constraints: ClassVar[tuple[Any, ...]] = (inputs(1), float32_only)
    kernel: ClassVar[str] = "edgec_sqrt_float32"

    def real(self, x: Array) -> Array:
        """Round once."""
        return np.sqrt(x)
