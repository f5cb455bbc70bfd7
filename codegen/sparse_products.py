"""Products with weights of which many are zero: kernels that skip blocks of zeros.

Two kinds of blocks are skipped, whatever made them: *columns* of 4 output channels and one product,
which is what TF-MOT's 1x4 blocks of a dense layer come to, and, in convolutions on cores with
SMLAD, *squares* of 4 output channels and 4 products that follow each other. Nothing in the model
says that weights are pruned: they are looked at. What the kernels read is made in `sparse_streams`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from edgec.codegen import sparse_streams
from edgec.codegen.dsp_products import rows_of_pairs
from edgec.codegen.registry import Const, Cost, Io, Step, Value
from edgec.codegen.sparse_streams import BLOCK, SEGMENT
from edgec.pipeline.graph import Array

_MOST_KEPT = 0.9
"""The part of blocks with weights above which skipping is not worth a thought."""
_OWN = {"edgec_conv_2d_int8_dsp", "edgec_fully_connected_int8_dsp"}
_PORTABLE = {"edgec_conv_2d_int8", "edgec_fully_connected_int8"}
_WITHOUT = {"edgec_conv_2d_int8_mve", "edgec_fully_connected_int8_mve"}
"""Kernels of a core where skipping has none, and the portable one would not pay."""


def sparse_steps(io: Io, plain: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps of a layer's `plain` ones that skip zeros, where there are many.

    A core's own kernels go before the portable one, which is the first.
    """
    kernels = {step.kernel for step in plain}
    if kernels & _WITHOUT:
        return ()
    if not kernels & _OWN:
        found = [_portable(io, step) for step in plain if step.kernel in _PORTABLE]
        return tuple(step for step in found if step is not None)
    own = [step for step in plain if step.kernel in _OWN]
    return tuple(s for step in own for s in _best(_own_steps(io, step)))


def _best(steps: Sequence[Step]) -> list[Step]:
    """Return the steps without those that another beats in instructions and in flash."""
    costs = [(s.cost.instructions, s.cost.flash_bytes) for s in steps if s.cost is not None]
    return [
        step
        for step, (slow, large) in zip(steps, costs, strict=True)
        if not any(a <= slow and b <= large and (a, b) != (slow, large) for a, b in costs)
    ]


def _own_steps(io: Io, step: Step) -> list[Step]:
    """Return the steps for cores with SMLAD."""
    weights = step.params["weights"]
    if not isinstance(weights, Const):
        return []
    words = weights.data
    rows = rows_of_pairs(words, 2 * words.shape[-1])[: -(-io.y.shape[-1] // BLOCK) * BLOCK]
    rows = rows.reshape(-1, BLOCK, rows.shape[1])
    columns = np.asarray(rows.any(axis=1))
    if step.kernel == "edgec_fully_connected_int8_dsp":
        return [_dense_columns(io, step, rows, columns)] if columns.mean() <= _MOST_KEPT else []
    found = []
    squares = np.asarray(columns.reshape(len(columns), -1, 4).any(axis=2))
    if squares.mean() <= _MOST_KEPT:
        found.append(_squares(io, step, words, squares))
    if columns.mean() <= _MOST_KEPT:
        found.append(_columns(io, step, rows, columns))
    return found


def _squares(io: Io, step: Step, words: Array, kept: Array) -> Step:
    """Return the convolution by squares; `kept` has shape (blocks, depth / 4)."""
    stream = sparse_streams.squares(words, kept)
    dense = 24 * kept.size + 3 * (kept.size // 4)
    sparse = 28 * int(kept.sum()) + 9 * len(kept)
    return _replaced(step, "squares", stream, _pairs(io) * (sparse - dense))


def _columns(io: Io, step: Step, rows: Array, kept: Array) -> Step:
    """Return the convolution by columns; `kept` has shape (blocks, depth)."""
    stream = sparse_streams.columns(rows, kept, 2)
    blocks, depth = kept.shape
    dense = 6 * kept.size + 3 * (kept.size // 16)
    sparse = 19 * int(kept.sum()) // 2 + 20 * blocks * -(-depth // SEGMENT) + 2 * depth
    return _replaced(step, "columns", stream, _pairs(io) * (sparse - dense))


def _dense_columns(io: Io, step: Step, rows: Array, kept: Array) -> Step:
    """Return the dense layer by columns; `kept` has shape (blocks of 4, depth)."""
    stream = sparse_streams.columns(rows, kept, 4)
    blocks, depth = kept.shape
    each = 25 * -(-int(kept.sum()) // 4) + blocks * (112 + 30 * -(-depth // SEGMENT))
    now = 0 if step.cost is None else step.cost.instructions
    more = io.y.size // io.y.shape[-1] * (each + 40) - now
    return _replaced(step, "columns", stream, more)


def _portable(io: Io, step: Step) -> Step | None:
    """Return the step of a portable one by columns."""
    weights, cost = step.params["weights"], step.cost
    grouped = step.params.get("groups", 1) != 1
    if not isinstance(weights, Const) or cost is None or grouped:
        return None
    out_ch = io.y.shape[-1]
    flat = np.pad(weights.data.reshape(out_ch, -1), ((0, -out_ch % BLOCK), (0, 0)))
    rows = flat.reshape(-1, BLOCK, flat.shape[1])
    kept = np.asarray(rows.any(axis=1))
    if kept.mean() > _MOST_KEPT:
        return None
    arrays = sparse_streams.portable_columns(rows, kept)
    layer: Mapping[str, Value] = {f"layer.{k}": v for k, v in step.params.items() if k != "weights"}
    pixels = io.y.size // out_ch
    more = 33 * int(kept.sum()) // 2 + 10 * len(kept) - 34 * weights.data.size // 10
    flash = sum(a.nbytes for a in arrays.values())
    return replace(
        step,
        kernel=f"{step.kernel}_columns",
        params={**layer, **{f"columns.{k}": Const(v, k) for k, v in arrays.items()}},
        cost=Cost(
            cost.instructions + pixels * more, cost.flash_bytes - weights.data.nbytes + flash
        ),
    )


def _pairs(io: Io) -> int:
    """Return how often a convolution makes two pixels."""
    return -(-io.y.size // io.y.shape[-1] // 2)


def _replaced(step: Step, kind: str, stream: Array, more: int) -> Step:
    """Return a step on another stream of weights, which takes `more` instructions."""
    weights, cost = step.params["weights"], step.cost
    if not isinstance(weights, Const) or cost is None:
        raise TypeError(f"{step.kernel} has no weights or no cost")
    return replace(
        step,
        kernel=f"{step.kernel}_{kind}",
        params={**step.params, "weights": Const(stream, "see the kernel's header")},
        cost=Cost(cost.instructions + more, cost.flash_bytes - weights.data.nbytes + stream.nbytes),
    )
