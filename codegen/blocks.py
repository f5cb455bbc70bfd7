"""Space taken apart into batches by the position within a block, and put together again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from edgec.codegen import axes
from edgec.codegen.padding import Paddings
from edgec.codegen.registry import Node
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array

Block = tuple[int, ...]


def read(node: Node, what: str) -> tuple[Block, Paddings]:
    """Return the block and the (before, after) of each of its dimensions: constant inputs 1 and 2.

    `what` names the latter, paddings or crops.
    """
    block = axes.integers(node, 1, "the block shape")
    amounts = axes.pairs(axes.integers(node, 2, f"the list of {what}", 2 * len(block)))
    _check_rank(node, block)
    if any(not 1 <= n <= 32767 for n in block):
        raise UnsupportedModelError(f"block shape {list(block)} is out of range")
    if any(not 0 <= n < 2**31 for pair in amounts for n in pair):
        raise UnsupportedModelError(f"{what} {[list(p) for p in amounts]} are out of range")
    return block, amounts


def apart(space: Array, block: Block) -> Array:
    """Return (batch, high, wide, …) as (*block, batch, high / block, wide / block, …)."""
    batch, rest = space.shape[0], space.shape[len(block) + 1 :]
    cut = [n for size, b in zip(space.shape[1:], block, strict=False) for n in (size // b, b)]
    parts = space.reshape(batch, *cut, *rest)
    inner = [2 * i + 2 for i in range(len(block))]
    outer = [2 * i + 1 for i in range(len(block))]
    last = range(len(cut) + 1, parts.ndim)
    return parts.transpose(*inner, 0, *outer, *last)


def together(batches: Array, block: Block) -> Array:
    """Return the opposite of `apart` from (batches, high, wide, …)."""
    dims = len(block)
    parts = batches.reshape(*block, -1, *batches.shape[1:])
    cut = [axis for i in range(dims) for axis in (dims + 1 + i, i)]
    spread = parts.transpose(dims, *cut, *range(2 * dims + 1, parts.ndim))
    sides = [n * b for n, b in zip(batches.shape[1:], block, strict=False)]
    return spread.reshape(parts.shape[dims], *sides, *batches.shape[dims + 1 :])


def phases(
    space: Array, batches: Array, block: Block, before: tuple[int, ...]
) -> Iterator[tuple[Array, Array]]:
    """Yield the views of both sides that belong together, one pair per position in the block.

    Element `g` of a batch is element `g * block + position - before` of the space, if there is
    one.
    """
    parts = batches.reshape(*block, space.shape[0], *batches.shape[1:])
    if not any(before) and np.prod(space.shape) == np.prod(batches.shape):
        yield apart(space, block), parts
        return
    for position in itertools.product(*map(range, block)):
        here: list[Any] = [slice(None)]
        there: list[Any] = [*position, slice(None)]
        sizes = zip(space.shape[1:], batches.shape[1:], block, position, before, strict=False)
        for size, count, step, phase, lead in sizes:
            first = max(0, -((phase - lead) // step))
            last = min(count, -((phase - lead - size) // step))
            start = first * step + phase - lead
            here.append(slice(start, max(start, start + (last - first) * step), step))
            there.append(slice(first, max(first, last)))
        view, onto = space[tuple(here)], parts[tuple(there)]
        if onto.size:
            yield view, onto


def _check_rank(node: Node, block: Block) -> None:
    dims = len(node.input(0).shape)
    if dims not in (3, 4) or len(block) != dims - 2:
        raise UnsupportedModelError(
            f"{dims} dimensions with a block of {len(block)}, 3 with 1 or 4 with 2 wanted"
        )
