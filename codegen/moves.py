"""Data movement as loops of `edgec_copy`: numpy views say which element goes where.

An op that only moves values lays its tensors out with `layout`, slices, splits and transposes
these with numpy, and pairs a view of the source with a view of the destination in a `Move`. The
arrays are never read or written; only their strides count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgec.codegen.registry import Const, Io, KernelOp, Step
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array, DType, Tensor

MAX_LOOPS = 8
FILL = -1
"""Source of a move that reads the fill value instead of an input."""
_BASE = np.zeros(1, np.int64)
Loop = tuple[int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """Copy a view of one input (or of the fill value) to a view of one output, shapes alike.

    `source` and `target` count the pointers that the kernel is given.
    """

    view: Array
    onto: Array
    source: int = 0
    target: int = 0


def same_type(op: KernelOp, io: Io) -> bool:
    """Input and outputs have the same type."""
    return all(t.dtype is io.x.dtype for t in io.outputs)


def all_present(op: KernelOp, io: Io) -> bool:
    """No input is missing."""
    return all(t is not None for t in io.inputs)


def inputs_like_output(op: KernelOp, io: Io) -> bool:
    """Inputs and output have the same type; 8-bit ones have the same scale and zero point."""
    return all(
        t.dtype is io.y.dtype
        and (t.dtype not in (DType.INT8, DType.UINT8) or _scaling(t) == _scaling(io.y))
        for t in io.present
    )


def at_most_eight_dimensions(op: KernelOp, io: Io) -> bool:
    """Tensors have at most eight dimensions."""
    return all(len(t.shape) <= 8 for t in (*io.present, *io.outputs))


def real_zero(io: Io) -> Array:
    """Return the element of the output's type that stands for zero."""
    return np.array(io.y.quant.zero_point if io.y.quant else 0, io.y.dtype.numpy)


def layout(tensor: Tensor) -> Array:
    """Return an array with the tensor's shape and row-major strides, backed by no memory."""
    return _virtual(tensor.shape, tensor.dtype.size_bytes)


def fill(onto: Array) -> Move:
    """Return the move that puts the fill value everywhere in a view of an output."""
    return Move(np.broadcast_to(_virtual((), onto.itemsize), onto.shape), onto, FILL)


def split(view: Array, sizes: Sequence[int], axis: int) -> list[Array]:
    """Return the parts of a view that follow each other along an axis."""
    return np.split(view, np.cumsum(sizes)[:-1], axis)


def apart(io: Io, position: int, sizes: Sequence[int], axis: int) -> Step:
    """Return the step that cuts the input at `position` along an axis, one part per output."""
    parts = split(layout(io.input(position)), sizes, axis)
    onto = zip(parts, io.outputs, strict=True)
    cut = [Move(part, layout(t), target=i) for i, (part, t) in enumerate(onto)]
    return step(io, cut, inputs=(position,))


def step(
    io: Io, moves: Sequence[Move], inputs: Sequence[int] = (0,), fill_value: Array | None = None
) -> Step:
    """Return the call of `edgec_copy`, or a view where all bytes keep their places.

    `inputs` are the positions of the op's inputs that the moves count; `fill_value` is the one
    element that moves from FILL repeat.
    """
    rows = [(m.source, m.target, _offset(m.view), _offset(m.onto), *_loops(m)) for m in moves]
    whole = (0, 0, 0, 0, io.y.size_bytes)
    # a constant has no memory of its own to look at, so its bytes are copied
    if rows == [whole] and io.x.size == io.y.size and inputs[0] == 0 and io.x.data is None:
        return Step(view=True)
    program: list[int] = []
    for row in rows:
        head, loops = row[:5], row[5:]
        program += [*head, len(loops) // 3, *loops]
    return Step(
        "edgec_copy",
        {
            "moves": Const(
                np.array(program, np.int32), "per move: source target at at bytes loops"
            ),
            "fill": None if fill_value is None else Const(fill_value.reshape(1).view(np.int8)),
            "count": len(rows),
        },
        inputs=tuple(inputs),
        arrays=True,
    )


def _scaling(tensor: Tensor) -> object:
    return tensor.quant and (tensor.quant.scales, tensor.quant.zero_points)


def _virtual(shape: tuple[int, ...], size_bytes: int) -> Array:
    base = _BASE.view(f"i{size_bytes}")[:1]
    strides = [size_bytes] * len(shape)
    for i in range(len(shape) - 2, -1, -1):
        strides[i] = strides[i + 1] * shape[i + 1]
    return np.lib.stride_tricks.as_strided(base, shape, strides, writeable=False)


def _offset(view: Array) -> int:
    start, base = view.__array_interface__["data"][0], _BASE.__array_interface__["data"][0]
    return int(start - base)


def _loops(move: Move) -> list[int]:
    """Return the bytes of one run, then size and both steps in bytes of each loop, outermost first.

    Neighbouring dimensions that both sides walk through alike become one loop; a contiguous
    innermost one becomes the run.
    """
    merged: list[Loop] = []
    dims = zip(move.onto.shape, move.view.strides, move.onto.strides, strict=True)
    for size, read, write in dims:
        if size == 1:
            continue
        if merged and merged[-1][1:] == (read * size, write * size):
            merged[-1] = (merged[-1][0] * size, read, write)
        else:
            merged.append((size, read, write))
    run = move.onto.itemsize
    if merged and merged[-1][1:] == (run, run):
        run *= merged.pop()[0]
    if len(merged) > MAX_LOOPS:
        raise UnsupportedModelError(f"{len(merged)} nested loops, at most {MAX_LOOPS} supported")
    return [run, *(n for loop in merged for n in loop)]
