"""Proof of a memory plan: every access of every op is replayed over a map of the arena.

Nothing the planner thought is used but the plan itself: who holds which byte is written down as
the ops run, and each read must find what it came for.
"""

from __future__ import annotations

import numpy as np

from edgec.codegen.layout import Plan, Region
from edgec.codegen.program import Base, Program, Spot
from edgec.codegen.registry import Step
from edgec.pipeline.graph import Array, Graph, Op
from edgec.pipeline.program_replay import replay_program, tag


def verify_plan(graph: Graph, plan: Plan) -> None:
    """Raise AssertionError if running the plan would overwrite a byte that is still to be read.

    The model's inputs and outputs are taken to be in the arena, where the plan has room for them.
    """
    _Replay(graph, plan).run()


def _require(holds: bool | np.bool_, message: str) -> None:
    """Raise AssertionError with the message unless it holds, also where asserts are off."""
    if not holds:
        raise AssertionError(message)


class _Replay:
    """The arena as a map: for each byte, the number of the value that it belongs to."""

    def __init__(self, graph: Graph, plan: Plan) -> None:
        self.graph = graph
        self.plan = plan
        self.holds = np.full(plan.arena_bytes, -1, np.int64)
        self.number = {name: i for i, name in enumerate(graph.tensors)}
        self.state = [n for n, t in graph.tensors.items() if t.variable]

    def start(self, name: str) -> int | None:
        """Return where a value begins; None for constants, and an input given by rows."""
        place = self.plan.places[name]
        if place.region is Region.CONSTANT:
            return None
        tables = {Region.INPUT: self.plan.inputs_at, Region.OUTPUT: self.plan.outputs_at}
        return tables[place.region][place.at] if place.region in tables else place.at

    def bytes_of(self, name: str) -> Array:
        """Return the map of a value's bytes."""
        at, size = self.start(name), self.graph[name].size_bytes
        assert at is not None
        _require(at >= 0 and at + size <= len(self.holds), f"{name} is outside the arena")
        return self.holds[at : at + size]

    def run(self) -> None:
        """Replay all ops, then read the outputs."""
        for name in (*self.graph.inputs, *self.state):
            if self.start(name) is None:
                continue
            _require((self.bytes_of(name) == -1).all(), f"{name} overlaps another input or state")
            self.bytes_of(name)[:] = self.number[name]
        for index, (op, step) in enumerate(zip(self.graph.ops, self.plan.steps, strict=True)):
            self._run(index, op, step)
            for name in self.state:
                self._expect(name, f"op {index} overwrites state")
        for name in self.graph.outputs:
            self._expect(name, "at the end,")

    def _expect(self, name: str, where: str) -> None:
        _require((self.bytes_of(name) == self.number[name]).all(), f"{where} {name} is overwritten")

    def _run(self, index: int, op: Op, step: Step) -> None:
        names = [n for n in op.inputs if n and self.start(n) is not None]
        for name in names:
            self._expect(name, f"op {index}:")
        if step.view and index not in self.plan.copies:
            source, out = op.inputs[0], op.outputs[0]
            _require(self.start(source) == self.start(out), f"op {index}: view has moved")
            # all names of this memory are one from here on, those of earlier views too
            shared = self.number[source]
            for name, number in list(self.number.items()):
                if number == shared:
                    self.number[name] = self.number[out]
            self.bytes_of(out)[:] = self.number[out]
            return
        if step.program is not None:
            self._program(index, op, step, step.program)
            return
        self._scratch(index, step, names)
        for position, name in enumerate(op.outputs):
            _require(self.start(name) is not None, f"op {index} writes a constant")
            others = [n for n in (*names, *op.outputs[:position]) if self._touch(n, name)]
            scratch = self.plan.scratch[index]
            if step.scratch_bytes and scratch is not None:
                at, size = self.start(name) or 0, self.graph[name].size_bytes
                apart = scratch + step.scratch_bytes <= at or at + size <= scratch
                _require(apart, f"op {index}: scratch overlaps {name}")
            self._write(index, op, step, name, others)

    def _program(self, index: int, op: Op, step: Step, program: Program) -> None:
        """Run an op of many calls, byte by byte: what it writes belongs to no other value then."""
        arena = np.full(len(self.holds), -1, np.int64)
        starts: dict[Spot, int] = {}
        for position in step.inputs:
            name = op.inputs[position]
            at, size = self.start(name), self.graph[name].size_bytes
            assert at is not None
            starts[Spot(Base.INPUT, 0, position, name)] = at
            arena[at : at + size] = tag(program, name) + np.arange(size)
        out = op.outputs[0]
        at, size = self.start(out), self.graph[out].size_bytes
        assert at is not None
        starts[Spot(Base.OUTPUT, 0, 0, out)] = at
        before = arena.copy()
        replay_program(program, starts, self.plan.scratch[index] or 0, arena)
        wanted = tag(program, out) + np.arange(size)
        _require((arena[at : at + size] == wanted).all(), f"op {index}: {out} is overwritten")
        self.holds[arena != before] = -2
        self.bytes_of(out)[:] = self.number[out]

    def _touch(self, first: str, second: str) -> bool:
        a, b = self.start(first), self.start(second)
        if a is None or b is None:
            return False
        return a < b + self.graph[second].size_bytes and b < a + self.graph[first].size_bytes

    def _scratch(self, index: int, step: Step, names: list[str]) -> None:
        if not step.scratch_bytes:
            return
        at = self.plan.scratch[index]
        if at is None:
            raise AssertionError(f"op {index} has no scratch")
        _require(at + step.scratch_bytes <= len(self.holds), f"op {index}: scratch is outside")
        self.holds[at : at + step.scratch_bytes] = -2
        for name in names:
            self._expect(name, f"op {index}: scratch;")

    def _write(self, index: int, op: Op, step: Step, out: str, others: list[str]) -> None:
        """Write an output; what it overlaps must be read before, as the kernel states."""
        where = f"op {index}: {out} is written over"
        if others:
            source = others[0]
            shared = self.number[source]  # views of a value have its number
            apart = [n for n in others if self.number[n] != shared]
            _require(not apart, f"{where} several inputs")
            positions = [i for i, n in enumerate(op.inputs) if n in others]
            size = self.graph[source].size_bytes
            if set(positions) <= set(step.in_place) and self.start(source) == self.start(out):
                _require(size == self.graph[out].size_bytes, f"{where} {source} of another size")
            else:
                _require(
                    positions == [0] and bool(step.accesses), f"{where} {source}, still to be read"
                )
                self._stretches(index, step, source, out)
        self.bytes_of(out)[:] = self.number[out]

    def _stretches(self, index: int, step: Step, source: str, out: str) -> None:
        base, to = self.start(source), self.start(out)
        assert base is not None and to is not None
        number = self.number[source]
        for reads, writes in step.accesses:
            found = self.holds[base + reads.start : base + reads.stop]
            _require(
                (found == number).all(), f"op {index}: {source} is overwritten before it is read"
            )
            self.holds[to + writes.start : to + writes.stop] = -3
            _require((found == number).all(), f"op {index}: {source} is overwritten as it is read")
