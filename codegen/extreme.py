"""What MAXIMUM and MINIMUM share: each output is one of two elements, quantised alike."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from edgec.codegen.binary import UNSCALED, WIDE_LIMITS, BinaryOp, Scale
from edgec.codegen.moves import inputs_like_output
from edgec.codegen.registry import Io, Node
from edgec.pipeline.graph import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Extreme(BinaryOp):
    """The element of two that lies further in the op's direction."""

    constraints: ClassVar[tuple[Any, ...]] = (*WIDE_LIMITS, inputs_like_output)

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read nothing: MaximumMinimumOptions is empty."""
        return cls(**node.ends)

    def scales(self, io: Io) -> tuple[Scale, Scale, Scale]:
        """Return no scales: all ends have the same."""
        return UNSCALED, UNSCALED, UNSCALED

    @abstractmethod
    def real(self, a: Array, b: Array) -> Array:
        """Compare."""

    def integer(self, io: Io, a: Array, b: Array) -> Array:
        """Compare; the ends' quantisation is the same."""
        return self.real(a, b)
