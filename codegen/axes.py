"""Axes, shapes and other small integers that an operator gets as constant inputs."""

from __future__ import annotations

from collections.abc import Sequence

from edgec.codegen.registry import Node
from edgec.pipeline.errors import UnsupportedModelError


def integers(node: Node, position: int, what: str, count: int | None = None) -> tuple[int, ...]:
    """Return a constant int32 or int64 input as a flat tuple, of `count` numbers if that is given.

    `what` is its name in the error.
    """
    data = node.constant(position)
    if data.dtype.name not in ("int32", "int64"):
        raise UnsupportedModelError(f"{what} is {data.dtype.name}, int32 or int64 wanted")
    values = tuple(int(v) for v in data.reshape(-1))
    if count is not None and len(values) != count:
        raise UnsupportedModelError(f"{what} has {len(values)} elements, {count} wanted")
    return values


def integer(node: Node, position: int, what: str) -> int:
    """Return a constant input of one int32 or int64 number."""
    return integers(node, position, what, 1)[0]


def axis(value: int, rank: int) -> int:
    """Return an axis of `rank` dimensions counted from the front; negative ones count from the end.

    Raises UnsupportedModelError where it is out of range.
    """
    if not -rank <= value < rank:
        raise UnsupportedModelError(f"axis {value} of a tensor with {rank} dimensions")
    return value % rank


def pairs(values: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Return (before, after) of each dimension from a flat sequence."""
    return tuple(zip(values[::2], values[1::2], strict=True))
