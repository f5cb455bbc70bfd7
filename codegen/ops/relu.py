"""RELU: negative values become zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from edgec.codegen.rectifier import Rectifier
from edgec.codegen.registry import register
from edgec.codegen.unary import WIDE_LIMITS


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Relu(Rectifier):
    """Clamp from below at zero."""

    builtin: ClassVar[str] = "RELU"
    constraints: ClassVar[tuple[Any, ...]] = WIDE_LIMITS
