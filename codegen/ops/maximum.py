"""MAXIMUM: the larger of two elements, with numpy broadcasting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen.binary import UNSCALED, WIDE_LIMITS, BinaryOp, Scale
from edgec.codegen.moves import inputs_like_output
from edgec.codegen.registry import Io, Node, register
from edgec.pipeline.graph import Array


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Maximum(BinaryOp):
    """The larger of two tensors, element by element."""

    builtin: ClassVar[str] = "MAXIMUM"
    constraints: ClassVar[tuple[Any, ...]] = (*WIDE_LIMITS, inputs_like_output)

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read nothing: MaximumMinimumOptions is empty."""
        return cls(**node.ends)

    def scales(self, io: Io) -> tuple[Scale, Scale, Scale]:
        """Return no scales: all ends have the same."""
        return UNSCALED, UNSCALED, UNSCALED

    def real(self, a: Array, b: Array) -> Array:
        """Compare."""
        return np.asarray(np.maximum(a, b))

    def integer(self, io: Io, a: Array, b: Array) -> Array:
        """Compare; the ends' quantisation is the same."""
        return np.asarray(np.maximum(a, b))
