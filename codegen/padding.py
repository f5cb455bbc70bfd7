"""What the padding ops share: reading the amounts, and the place of the input in the output."""

from __future__ import annotations

from edgec.codegen import axes
from edgec.codegen.registry import Node, Shape
from edgec.pipeline.errors import UnsupportedModelError

Paddings = tuple[tuple[int, int], ...]


def read(node: Node) -> Paddings:
    """Return (before, after) of each dimension from constant input 1, which is (dims, 2)."""
    dims = len(node.input(0).shape)
    paddings = axes.pairs(axes.integers(node, 1, "the paddings", 2 * dims))
    if any(not 0 <= amount < 2**31 for pair in paddings for amount in pair):
        raise UnsupportedModelError(f"paddings {[list(p) for p in paddings]} are out of range")
    return paddings


def padded(shape: Shape, paddings: Paddings) -> Shape:
    """Return a shape with its paddings added."""
    return tuple(before + n + after for n, (before, after) in zip(shape, paddings, strict=True))


def interior(shape: Shape, paddings: Paddings) -> tuple[slice, ...]:
    """Return where an input of `shape` lies in the padded output."""
    return tuple(slice(b, b + n) for n, (b, _) in zip(shape, paddings, strict=True))
