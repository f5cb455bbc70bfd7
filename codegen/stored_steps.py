"""Kernels on stored weights: a group of output channels is written out, then the plain kernel runs.

They are `edgec_*_stored`, each beside the kernel for plain weights that it calls, and take less
flash for the time to write the weights out. That counts most for dense layers, which use each
weight once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgec.codegen.dsp_products import rows_of_pairs
from edgec.codegen.registry import Const, Cost, Io, Step, Value
from edgec.codegen.stored_weights import Stored, stored_weights
from edgec.pipeline.graph import Array

_SCRATCH = 2048
"""Bytes of weights that may be written out at a time, whatever the layer's size."""
_SCRATCH_SHARE = 8
"""Of input and output together this part may be, too."""


@dataclass(frozen=True, slots=True)
class _Base:
    """A kernel for plain weights that has one for stored ones beside it.

    `block` is the output channels that are written out at a time, or that groups are whole numbers
    of; a `paired` kernel reads pairs of rows in a word.
    """

    block: int
    paired: bool = False
    grouped: bool = False
    weights: str = "weights"


_BASES = {
    "edgec_conv_2d_int8": _Base(4, grouped=True),
    "edgec_conv_2d_int8_dsp": _Base(4, grouped=True, paired=True),
    "edgec_conv_2d_int8_mve": _Base(4, grouped=True, weights="rows.weights"),
    "edgec_fully_connected_int8": _Base(4),
    "edgec_fully_connected_int8_dsp": _Base(8, paired=True),
    "edgec_fully_connected_int8_mve": _Base(16, weights="rows.weights"),
}


def stored_steps(io: Io, plain: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps of a layer's `plain` ones on stored weights, where these are smaller.

    A core's own kernels go before the portable one, which is the first.
    """
    own = [step for step in plain[1:] if step.kernel in _BASES]
    return tuple(stored for step in own or plain[:1] for stored in _stored_steps(io, step))


def _stored_steps(io: Io, step: Step) -> list[Step]:
    base = _BASES.get(step.kernel)
    if base is None or step.cost is None or step.params.get("groups", 1) != 1:
        return []
    weights = step.params[base.weights]
    if not isinstance(weights, Const):
        return []
    rows = _rows(weights.data, io.input(1).shape[0], base)
    scales = np.broadcast_to(np.array(io.input(1).q.scales, np.float64), (len(rows),))
    return [_stored_step(io, step, base, form) for form in stored_weights(rows, scales)]


def _stored_step(io: Io, step: Step, base: _Base, form: Stored) -> Step:
    weights, cost = step.params[base.weights], step.cost
    if not isinstance(weights, Const) or cost is None:
        raise TypeError(f"{step.kernel} has no weights or no cost")
    more, scratch, passes = _around(io, step, base, form.shape)
    layer = {f"layer.{k}": v for k, v in step.params.items() if k != base.weights}
    joining = 5 * form.shape[0] * form.shape[1] // 2
    return Step(
        f"{step.kernel}_stored",
        {**form.fields, **layer, **more},
        scratch_bytes=scratch,
        accesses=step.accesses if base.grouped and passes == 1 else (),
        cost=Cost(
            cost.instructions
            + form.instructions
            + (joining if base.paired and not form.plain_codes else 0)
            + _again(io, base, form.shape[1], passes),
            cost.flash_bytes - weights.data.nbytes + form.flash_bytes,
        ),
    )


def _rows(weights: Array, out_ch: int, base: _Base) -> Array:
    """Return plain weights as int8 rows (out_ch, products)."""
    if base.paired:
        return rows_of_pairs(weights, base.block)[:out_ch]
    return weights.reshape(out_ch, -1)


def _around(
    io: Io, step: Step, base: _Base, shape: tuple[int, int]
) -> tuple[dict[str, Value], int, int]:
    """Return the parameters for groups, the scratch memory, and how often the plain kernel runs."""
    count, length = shape
    own = step.scratch_bytes or 0
    if not base.grouped:
        return {}, (base.block + 2 * base.paired) * length, -(-count // base.block)
    group = _group(io, base.block, length)
    params: dict[str, Value] = {"group": group}
    if base.paired:
        own = max(own, 2 * length)
    elif step.kernel.endswith("_mve"):
        params["patch_bytes"] = own
    else:
        own = length  # it gathers windows also where the plain one could read them in place
    return params, group * length + own, -(-count // group)


def _group(io: Io, block: int, length: int) -> int:
    """Return how many output channels to write out at a time: all, or few enough for the RAM."""
    blocks = -(-io.input(1).shape[0] // block)
    if blocks * block * length <= min(io.x.size_bytes, io.y.size_bytes):
        return block * blocks  # a second pass would need the input beside the whole output
    room = max(_SCRATCH, (io.x.size_bytes + io.y.size_bytes) // _SCRATCH_SHARE)
    return block * min(blocks, max(1, room // (block * length)))


def _again(io: Io, base: _Base, length: int, passes: int) -> int:
    """Return about what it takes to begin each pass, in which windows are gathered once more."""
    pixels = io.y.size // io.input(1).shape[0]
    if base.grouped:
        return (passes - 1) * pixels * (60 + 2 * length)
    return passes * pixels * 60
