"""The schedule of a function that nobody tuned: sums of a small tile are kept in registers."""

from __future__ import annotations

from typing import Any

_TILES = {1: (4, 4), 4: (8, 6), 8: (16, 6), 16: (32, 12)}
"""Channels and pixels of a tile at most, by the elements of a vector: as many sums as registers
hold, two vectors of channels by the pixels that share their weights."""
_ALONE = 4
"""How many times the channels of a tile there are where it has one pixel: a sum must wait for its
last product, so there have to be others meanwhile."""
_REDUCTION = 2
"""What TVM calls the kind of a loop that sums."""


def default_schedule(function: Any, lanes: int) -> Any:
    """Return a schedule of a function as `functions.loops_of` makes it, tiled for its vectors.

    Cores whose vectors have `lanes` elements compute as many neighbouring channels at once; with 1
    lane the loop over channels is unrolled by four.
    """
    import tvm
    from tvm.s_tir import Schedule

    named = function.with_attr({"global_symbol": "main", "tirx.noalias": True})
    sch = Schedule(tvm.IRModule({"main": named}))
    blocks = list(sch.get_child_blocks(sch.get_sblock("root")))
    sums = next((b for b in blocks if _reduces(sch, b)), None)
    after = blocks if sums is None else blocks[blocks.index(sums) + 1 :]
    for block in after[:-1]:
        sch.compute_inline(block)
    if sums is None:
        *_, inner = sch.get_loops(after[-1])
        width, vector = _width(sch, inner, lanes)
        _spread(sch, _vectors(sch, sch.split(inner, [None, width])[1], vector), vector)
        return sch
    if after:
        last = after[-1]
        sch.set_scope(sums, 0, "local")
    else:
        last = sch.cache_write(sums, 0, "local")
    padded = blocks[0] if sch.get(blocks[0]).name_hint == "padded" else None
    if padded is not None and lanes > 1:
        # To ask for each vector whether it is inside takes less than to copy rows.
        sch.compute_inline(padded)
        padded = None
    _tile(sch, padded, sums, last, lanes)
    return sch


def _reduces(sch: Any, block: Any) -> bool:
    return any(int(v.iter_type) == _REDUCTION for v in sch.get(block).iter_vars)


def _tile(sch: Any, padded: Any, sums: Any, last: Any, lanes: int) -> None:
    """Compute tiles of pixels by channels: reductions outside of them, then what follows.

    A padded input is made a few rows at a time, as they are needed.
    """
    *outer, columns, channels = sch.get_loops(last)
    alone = lanes > 1 and int(sch.get(columns).extent) == 1
    width, vector = _width(sch, channels, lanes, _ALONE if alone else 1)
    abreast = width // vector if lanes > 1 else 1
    most = max(1, 2 * _TILES[lanes][1] // max(2, abreast))
    block, channels = sch.split(channels, [None, width])
    strip, columns = sch.split(columns, [None, _divisor(sch, columns, most)])
    sch.reorder(block, strip, columns, channels)
    sch.compute_at(sums, strip, preserve_unit_loops=True)
    depth = len(outer) + 2
    own = sch.get_loops(sums)[depth:]
    pixels, sites = own[depth - 2], own[depth - 1]
    sch.reorder(*own[: depth - 2], *own[depth:], pixels, sites)
    # Sums are spread while they have their start value with them, as TVM asks for.
    spread = len(_spread(sch, [pixels, *_vectors(sch, sites, vector)], vector))
    _spread(sch, [columns, *_vectors(sch, channels, vector)], vector)
    start = sch.decompose_reduction(sums, own[depth])
    _spread(sch, sch.get_loops(start)[-spread:], vector)
    if padded is not None:
        sch.compute_at(padded, outer[-1], preserve_unit_loops=True)


def _vectors(sch: Any, loop: Any, vector: int) -> list[Any]:
    """Return a loop as one over vectors and one over the elements of each."""
    return [*sch.split(loop, [None, vector])] if int(sch.get(loop).extent) > vector > 1 else [loop]


def _spread(sch: Any, loops: list[Any], vector: int) -> list[Any]:
    """Unroll loops and make vectors of the last one, if there are any; return the loops."""
    *outer, inner = loops
    for loop in outer:
        sch.unroll(loop)
    (sch.vectorize if vector > 1 else sch.unroll)(inner)
    return loops


def _width(sch: Any, loop: Any, lanes: int, times: int = 1) -> tuple[int, int]:
    """Return how many channels a tile has, and how many of them are a vector.

    Whole vectors of the core if they divide the channels, otherwise shorter ones, whose elements
    are a power of two: LLVM takes others apart, element by element. A tile may have so many times
    the usual channels.
    """
    extent, most = int(sch.get(loop).extent), times * _TILES[lanes][0]
    divisors = [d for d in range(1, most + 1) if extent % d == 0]
    if lanes == 1:
        return divisors[-1], 1
    width = max(divisors, key=lambda d: (min(d & -d, lanes), d))
    return width, min(width & -width, _TILES[lanes][0])


def _divisor(sch: Any, loop: Any, most: int) -> int:
    """Return the greatest divisor of a loop's extent up to `most`."""
    extent = int(sch.get(loop).extent)
    return max(d for d in range(1, most + 1) if extent % d == 0)
