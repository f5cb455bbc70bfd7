"""Offsets for blocks of memory that live for a while: blocks alive together keep apart.

An output may share memory with an input that ends where it begins, as far as the kernel's stated
accesses allow.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from edgec.codegen.registry import Accesses

ALIGN = 8
PACKING_TRIES = 200
"""Random packing orders that are tried after the sorted ones."""


@dataclass(frozen=True, slots=True)
class Block:
    """Bytes that are alive from op `first` to op `last`, both included."""

    key: str
    size: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """How an output may share memory with an input that ends where it begins.

    Its start may be `distance` bytes or more below the input's start, or, where `exact` is set,
    at it.
    """

    distance: int
    exact: bool


Overlaps = Mapping[tuple[str, str], Overlap]
"""By (key of the input's block, key of the output's block)."""


def aligned(size: int) -> int:
    """Return a size rounded up to whole words of ALIGN bytes."""
    return -(-size // ALIGN) * ALIGN


def safe_distance(accesses: Accesses) -> int:
    """Return how far below its input an output must start so that no unread byte is overwritten.

    Every stretch's writes, and all before it, must end below what it and all later ones read.
    """
    distance = 0
    unread: int | None = None
    written = [0]
    for _, writes in accesses:
        written.append(max(written[-1], writes.stop))
    for index in range(len(accesses) - 1, -1, -1):
        reads = accesses[index][0]
        if len(reads):
            unread = reads.start if unread is None else min(unread, reads.start)
        if unread is not None:
            distance = max(distance, written[index + 1] - unread)
    return max(distance, 0)


def most_alive(blocks: Iterable[Block]) -> int:
    """Return the most bytes alive at once."""
    alive: dict[int, int] = {}
    for block in blocks:
        for index in range(block.first, block.last + 1):
            alive[index] = alive.get(index, 0) + block.size
    return max(alive.values(), default=0)


def least_size(blocks: Sequence[Block], overlaps: Overlaps) -> int:
    """Return a size below which no packing can be: what is alive, less what may overlap."""
    by_key = {block.key: block for block in blocks}
    saved: dict[int, dict[str, int]] = {}
    for (source, out), overlap in overlaps.items():
        a, b = by_key[source], by_key[out]
        union = max(a.size, b.size)
        if not overlap.exact:
            union = max(union, overlap.distance + a.size)
        gain = saved.setdefault(b.first, {})
        gain[out] = max(gain.get(out, 0), a.size + b.size - union)
    alive: dict[int, int] = {}
    for block in blocks:
        for index in range(block.first, block.last + 1):
            alive[index] = alive.get(index, 0) + block.size
    return max((size - sum(saved.get(i, {}).values()) for i, size in alive.items()), default=0)


def pack(blocks: Sequence[Block], overlaps: Overlaps, tries: int = PACKING_TRIES) -> dict[str, int]:
    """Return an offset for every block such that blocks alive together keep apart."""
    keys: tuple[Callable[[Block], tuple[int, ...]], ...] = (
        lambda b: (-b.size, b.first),
        lambda b: (-(b.last - b.first), -b.size),
        lambda b: (-b.size * (b.last - b.first + 1), b.first),
        lambda b: (b.first, -b.size),
        # each output below its input: from the last value up, short-lived blocks where room is left
        lambda b: (b.first == b.last, -b.first, -b.size),
        lambda b: (b.first == b.last, -b.size, -b.first),
    )
    floor = least_size(blocks, overlaps)
    rng = random.Random(0)  # fixed: the same model packs the same way every time
    trials = [sorted(blocks, key=key) for key in keys]
    best, best_size = _first_fit(trials[0], overlaps)
    order = trials[0]
    for attempt in range(1, len(keys) + tries):
        if best_size <= floor:
            break
        if attempt < len(keys):
            trial = trials[attempt]
        else:
            trial = list(order)
            for _ in range(rng.randint(1, 3)):
                i, j = rng.randrange(len(trial)), rng.randrange(len(trial))
                trial.insert(j, trial.pop(i))
        offsets, size = _first_fit(trial, overlaps)
        if size <= best_size:
            best, best_size, order = offsets, size, trial
    return best


def _first_fit(order: Sequence[Block], overlaps: Overlaps) -> tuple[dict[str, int], int]:
    """Place blocks one after the other, each at the lowest start that is free."""
    offsets: dict[str, int] = {}
    placed: list[Block] = []
    size = 0
    for block in order:
        taken = []
        for other in placed:
            if other.first <= block.last and block.first <= other.last:
                taken += _forbidden(block, other, offsets[other.key], overlaps)
        at = _lowest(taken)
        offsets[block.key] = at
        size = max(size, at + block.size)
        placed.append(block)
    return offsets, size


def _forbidden(block: Block, other: Block, at: int, overlaps: Overlaps) -> list[tuple[int, int]]:
    """Return the open intervals of starts that `block` cannot have, `other` being at `at`."""
    low, high = at - block.size, at + other.size
    above = overlaps.get((other.key, block.key))
    below = overlaps.get((block.key, other.key))
    found = above or below
    if found is None:
        return [(low, high)]
    if above is not None:
        low = max(low, at - above.distance)
    else:
        high = min(high, at + found.distance)
    if found.exact and low < at < high:
        return [(low, at), (at, high)]
    return [(low, high)]


def _lowest(taken: list[tuple[int, int]]) -> int:
    """Return the lowest start, not negative, inside none of the open intervals."""
    at = 0
    while any(low < at < high for low, high in taken):
        at = min(high for low, high in taken if low < at < high)
    return at
