"""The schedule of a function that nobody tuned: sums of a small tile are kept in registers."""

from __future__ import annotations

from typing import Any

_TILES = {1: (4, 4), 4: (8, 6), 8: (16, 6), 16: (32, 12)}
"""Channels and pixels of a tile at most, by the elements of a vector: as many sums as registers
hold, two vectors of channels by the pixels that share their weights."""
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
    spread = sch.vectorize if lanes > 1 else sch.unroll
    if sums is None:
        *_, inner = sch.get_loops(after[-1])
        spread(sch.split(inner, [None, _width(sch, inner, lanes)])[1])
        return sch
    if after:
        last = after[-1]
        sch.set_scope(sums, 0, "local")
    else:
        last = sch.cache_write(sums, 0, "local")
    padded = blocks[0] if sch.get(blocks[0]).name_hint == "padded" else None
    _tile(sch, padded, sums, last, lanes)
    return sch


def _reduces(sch: Any, block: Any) -> bool:
    return any(int(v.iter_type) == _REDUCTION for v in sch.get(block).iter_vars)


def _tile(sch: Any, padded: Any, sums: Any, last: Any, lanes: int) -> None:
    """Compute tiles of pixels by channels: reductions outside of them, then what follows.

    A padded input is made a few rows at a time, as they are needed.
    """
    spread = sch.vectorize if lanes > 1 else sch.unroll
    *outer, columns, channels = sch.get_loops(last)
    block, channels = sch.split(channels, [None, _width(sch, channels, lanes)])
    strip, columns = sch.split(columns, [None, _divisor(sch, columns, _TILES[lanes][1])])
    sch.reorder(block, strip, columns, channels)
    sch.compute_at(sums, strip, preserve_unit_loops=True)
    depth = len(outer) + 2
    own = sch.get_loops(sums)[depth:]
    pixels, vector = own[depth - 2], own[depth - 1]
    sch.reorder(*own[: depth - 2], *own[depth:], pixels, vector)
    # Sums are spread while they have their start value with them, as TVM asks for.
    for first, second in ((pixels, vector), (columns, channels)):
        sch.unroll(first)
        spread(second)
    start = sch.decompose_reduction(sums, own[depth])
    first, second = sch.get_loops(start)[-2:]
    sch.unroll(first)
    spread(second)
    if padded is not None:
        sch.compute_at(padded, outer[-1], preserve_unit_loops=True)


def _width(sch: Any, loop: Any, lanes: int) -> int:
    """Return how many channels a tile has: whole vectors if that divides them."""
    extent, most = int(sch.get(loop).extent), _TILES[lanes][0]
    whole = [n for n in range(lanes, most + 1, lanes) if extent % n == 0]
    return whole[-1] if whole else _divisor(sch, loop, most)


def _divisor(sch: Any, loop: Any, most: int) -> int:
    """Return the greatest divisor of a loop's extent up to `most`."""
    extent = int(sch.get(loop).extent)
    return max(d for d in range(1, most + 1) if extent % d == 0)
