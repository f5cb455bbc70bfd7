"""RELU: negative values become zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from edgec.codegen.rectifier import Rectifier
from edgec.codegen.registry import register


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Relu(Rectifier):
    """Clamp from below at zero."""

    builtin: ClassVar[str] = "RELU"
