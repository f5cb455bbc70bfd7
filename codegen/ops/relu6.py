"""RELU6: values limited to 0 .. 6."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from edgec.codegen.rectifier import Rectifier
from edgec.codegen.registry import register


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Relu6(Rectifier):
    """Clamp to 0 .. 6."""

    builtin: ClassVar[str] = "RELU6"
    high: ClassVar[float] = 6.0
