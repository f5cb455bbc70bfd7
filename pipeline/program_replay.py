"""Proof of a layer computed by stripes: every call's reads and writes, row by row.

Which input rows an output row needs is taken from the layers, where those rows are from what was
written there, and where a call reads from the shape it was given. How the stripes were planned is
not asked.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from edgec.codegen.program import Base, Call, Fetch, Move, Program, Spot
from edgec.codegen.registry import KernelOp, Step
from edgec.codegen.window import Window
from edgec.pipeline.graph import Array, Tensor

_JUNK = -1


def replay_program(
    program: Program, starts: Mapping[Spot, int], scratch: int, arena: Array
) -> None:
    """Run a program over `arena`, a map from bytes to values; AssertionError if a read finds other.

    `arena` is an int64 array that is changed: byte `b` of a tensor is `tag(number) + b`, where
    tensors are numbered as in `program.tensors`; inputs must be in it. `starts` has the place of
    the output and of every input, as a Spot at 0, and `scratch` is where the working memory begins.
    """
    _ProgramReplay(program, starts, scratch, arena).run()


def tag(program: Program, name: str) -> int:
    """Return what marks byte 0 of a tensor; those of all tensors are apart."""
    return (list(program.tensors).index(name) + 1) << 40


def _require(holds: bool | np.bool_, message: str) -> None:
    if not holds:
        raise AssertionError(message)


class _ProgramReplay:
    def __init__(
        self, program: Program, starts: Mapping[Spot, int], scratch: int, arena: Array
    ) -> None:
        self.program = program
        self.starts = starts
        self.scratch = scratch
        self.arena = arena
        self.made: dict[str, int] = {}

    def run(self) -> None:
        """Run all turns; every output row must have been made once, in order."""
        for turn in self.program.turns:
            for action in turn:
                if isinstance(action, Move):
                    source = self.scratch + action.source
                    moved = self.bytes_at(source, action.size).copy()
                    self.bytes_at(self.scratch + action.target, action.size)[:] = moved
                elif isinstance(action, Fetch):
                    self.fetch(action)
                else:
                    self.call(action)
        last = self.program.members[-1].outputs[0]
        high = self.program.tensors[last].shape[1]
        _require(self.made.get(last, 0) == high, f"{last}: {self.made.get(last, 0)} rows of {high}")

    def bytes_at(self, at: int, size: int) -> Array:
        """Return a part of the map."""
        _require(at >= 0 and at + size <= len(self.arena), f"byte {at} + {size} is outside")
        return self.arena[at : at + size]

    def address(self, spot: Spot) -> int:
        """Return where a pointer points to."""
        if spot.base is Base.SCRATCH:
            return self.scratch + spot.at
        return self.starts[Spot(spot.base, 0, spot.number, spot.tensor)] + spot.at

    def rows(self, name: str, rows: range) -> Array:
        """Return what the bytes of a tensor's rows must be marked with."""
        row = _row_bytes(self.program.tensors[name])
        return tag(self.program, name) + np.arange(rows.start * row, rows.stop * row)

    def fetch(self, action: Fetch) -> None:
        """Write fetched rows."""
        name = self.program.fetched
        wanted = self.rows(name, action.rows)
        _require(self.made.get(name, 0) == action.rows.start, f"{name} is not fetched in order")
        self.made[name] = action.rows.stop
        self.bytes_at(self.scratch + action.target, len(wanted))[:] = wanted

    def call(self, action: Call) -> None:
        """Check what a call reads, then mark what it writes."""
        op, step = self.program.members[action.member], action.step
        out = op.outputs[0]
        where = f"{op.builtin} rows {action.rows.start}..{action.rows.stop - 1}"
        _require(self.made.get(out, 0) == action.rows.start, f"{where}: rows are not in order")
        self.made[out] = action.rows.stop
        if step.scratch_bytes:
            _require(action.scratch is not None, f"{where}: no working memory")
            assert action.scratch is not None
            self.bytes_at(self.address(action.scratch), step.scratch_bytes)[:] = _JUNK
        for _, at, wanted in self.reads(op, action):
            _require((self.bytes_at(at, len(wanted)) == wanted).all(), f"{where}: reads other rows")
        self.write(op, action, where)

    def reads(self, op: KernelOp, action: Call) -> Iterator[tuple[int, int, Array]]:
        """Yield (input position, address, marks wanted there) of every row that is read."""
        band = _Band(op, self.program, action)
        for position, spot in zip(action.step.inputs, action.inputs, strict=True):
            if spot.base is Base.CONSTANT:
                continue
            name = op.inputs[position]
            row = _row_bytes(self.program.tensors[name])
            for inside, whole in band.rows():
                wanted = self.rows(name, range(whole, whole + 1))
                yield position, self.address(spot) + inside * row, wanted

    def write(self, op: KernelOp, action: Call, where: str) -> None:
        """Mark the output; an input that it overlaps must have been read before, as stated."""
        step, out = action.step, op.outputs[0]
        to = self.address(action.output)
        marks = self.rows(out, action.rows)
        end = to + len(marks)
        if action.scratch is not None and step.scratch_bytes:
            at = self.address(action.scratch)
            apart = at + step.scratch_bytes <= to or end <= at
            _require(apart, f"{where}: working memory overlaps the output")
        shared = {
            position
            for position, at, wanted in self.reads(op, action)
            if at < end and to < at + len(wanted)
        }
        for position in shared:
            spot = action.inputs[step.inputs.index(position)]
            exact = position in step.in_place and self.address(spot) == to
            _require(exact or position == 0, f"{where}: overwrites an input")
            if not exact:
                self.stretches(step, self.address(spot), to, where)
        self.bytes_at(to, len(marks))[:] = marks

    def stretches(self, step: Step, source: int, to: int, where: str) -> None:
        """Write stretch by stretch; nothing may be read once it is written over."""
        _require(bool(step.accesses), f"{where}: overwrites its input")
        gone: set[int] = set()
        for reads, writes in step.accesses:
            gone |= set(range(to + writes.start, to + writes.stop))
            read = range(source + reads.start, source + reads.stop)
            _require(gone.isdisjoint(read), f"{where}: overwrites its input before it is read")


class _Band:
    """How a call sees its input: which row of it is which row of the whole tensor."""

    def __init__(self, op: KernelOp, program: Program, action: Call) -> None:
        self.window = getattr(op, "window", None)
        self.made = action.rows
        self.high = next(
            program.tensors[n].shape[1] for n in op.inputs if n and program.tensors[n].data is None
        )
        # some kernels keep the layer's fields in a struct of their own
        params = {name.split(".")[-1]: value for name, value in action.step.params.items()}
        self.in_high, self.pad_top = params.get("in_h"), params.get("pad_top")
        self.out_high = params.get("out_h")
        sizes = params.get("size")
        self.elements = math.prod(sizes) if isinstance(sizes, tuple) else sizes
        out = program.tensors[op.outputs[0]]
        self.row_elements = out.size // out.shape[1]

    def rows(self) -> Iterator[tuple[int, int]]:
        """Yield (row of the band, row of the tensor) for all that is read; padding must agree."""
        if not isinstance(self.window, Window):
            made = len(self.made) * self.row_elements
            _require(self.elements == made, "a call makes another count of elements")
            yield from enumerate(self.made)
            return
        win = self.window
        in_high, pad_top = _whole(self.in_high), _whole(self.pad_top)
        _require(_whole(self.out_high) == len(self.made), "a call makes another count of rows")
        for i, row in enumerate(self.made):
            for k in range(win.kernel[0]):
                whole = row * win.stride[0] - win.before[0] + k * win.dilation[0]
                inside = i * win.stride[0] - pad_top + k * win.dilation[0]
                there, here = 0 <= whole < self.high, 0 <= inside < in_high
                _require(there == here, f"row {whole} of {self.high} is padded wrongly")
                if here:
                    yield inside, whole


def _whole(value: object) -> int:
    _require(isinstance(value, int), "a call does not state its rows")
    assert isinstance(value, int)
    return value


def _row_bytes(tensor: Tensor) -> int:
    return tensor.size_bytes // tensor.shape[1]
