"""SQUARE: product with itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from edgec.codegen.constraints import inputs
from edgec.codegen.registry import register
from edgec.codegen.unary import Unary, float32_only
from edgec.pipeline.graph import Array


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Square(Unary):
    """Square of each element; float32, as TFLite has no int8 kernel."""

    builtin: ClassVar[str] = "SQUARE"
    constraints: ClassVar[tuple[Any, ...]] = (inputs(1), float32_only)
    kernel: ClassVar[str] = "edgec_square_float32"

    def real(self, x: Array) -> Array:
        """Multiply in float32."""
        return x * x
