"""RESHAPE: the same elements under another shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.graph import Array


def same_elements(op: KernelOp, io: Io) -> bool:
    """Input and output have the same type, quantisation and number of elements."""
    x, y = io.x, io.y
    return x.dtype is y.dtype and x.size == y.size and x.quant == y.quant


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Reshape(KernelOp):
    """A view: it takes no time and no memory. The output's declared shape is the new shape."""

    builtin: ClassVar[str] = "RESHAPE"
    constraints: ClassVar[tuple[Any, ...]] = (same_elements,)

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Ignore ReshapeOptions and the shape input: shapes are static here."""
        return cls(**node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the declared shape."""
        return (io.y.shape,)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Reshape."""
        return (np.asarray(inputs[0]).reshape(io.y.shape),)

    def lower(self, io: Io) -> Step:
        """Return a view."""
        return Step(view=True)
