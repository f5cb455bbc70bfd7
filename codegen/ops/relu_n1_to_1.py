"""RELU_N1_TO_1: values limited to -1 .. 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from edgec.codegen.rectifier import Rectifier
from edgec.codegen.registry import register


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class ReluN1To1(Rectifier):
    """Clamp to -1 .. 1."""

    builtin: ClassVar[str] = "RELU_N1_TO_1"
    low: ClassVar[float] = -1.0
    high: ClassVar[float] = 1.0
