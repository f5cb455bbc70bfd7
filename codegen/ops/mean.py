"""MEAN: arithmetic mean over axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from edgec.codegen.registry import Io, register
from edgec.codegen.total import Total


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Mean(Total):
    """Mean of the elements along the axes; int8 divides within the output's rescaling."""

    builtin: ClassVar[str] = "MEAN"

    def divisor(self, io: Io) -> int:
        """Return how many elements there are."""
        return self.count(io)
