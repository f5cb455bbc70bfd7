"""MAXIMUM: the larger of two elements, with numpy broadcasting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgec.codegen.extreme import Extreme
from edgec.codegen.registry import register
from edgec.pipeline.graph import Array


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Maximum(Extreme):
    """The larger of two tensors, element by element."""

    builtin: ClassVar[str] = "MAXIMUM"

    def real(self, a: Array, b: Array) -> Array:
        """Compare."""
        return np.asarray(np.maximum(a, b))
