"""A run of layers computed by stripes: a few rows of the last output at a time.

Between the layers only windows of rows live, in working memory; rows that the next stripe needs
again are moved to the window's start, so that nothing is computed twice. The input may be given by
rows, too, through a callback.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

from edgec.codegen.bands import BandKernels, Member, Stripe, member, row_bytes, stripes
from edgec.codegen.joined import Joined
from edgec.codegen.packing import Block, aligned, pack
from edgec.codegen.program import Action, Base, Call, Fetch, Move, Program, Spot
from edgec.codegen.registry import Accesses, Cost, Io, KernelOp, Step
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Graph

CALL_INSTRUCTIONS = 40
"""What a call of a kernel and its set-up take beside the work."""
_TRIES = 30


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stripes(Joined):
    """Layers computed together, made by the planner, never read from a file.

    `kernels` are the calls that compute each member whole, whose kernels and constants the bands
    share. `fetched` is the input that a callback gives.
    """

    builtin: ClassVar[str] = "STRIPES"

    kernels: tuple[Step, ...]
    rows: int
    bands: BandKernels
    fetched: str = ""

    @classmethod
    def of(
        cls,
        graph: Graph,
        members: Sequence[KernelOp],
        kernels: Sequence[Step],
        rows: int,
        bands: BandKernels,
        fetched: str = "",
    ) -> Self:
        """Return a run of a graph's ops, of whose values only the last is needed outside.

        `fetched` counts where one of them reads it.
        """
        made = {name for op in members for name in op.outputs}
        names = dict.fromkeys(n for op in members for n in (*op.inputs, *op.outputs) if n)
        tensors = {n: graph[n] for n in names}
        outside = [n for n in names if n not in made and tensors[n].data is None]
        # overlapping by distance is for the first input; those of the output's size come later
        out = tensors[members[-1].outputs[0]]
        outside.sort(key=lambda n: (tensors[n].shape == out.shape, -tensors[n].size_bytes))
        return cls(
            inputs=tuple(outside),
            outputs=members[-1].outputs,
            rounding=members[-1].rounding,
            members=tuple(members),
            tensors=tensors,
            kernels=tuple(kernels),
            rows=rows,
            bands=bands,
            fetched=fetched if fetched in outside else "",
        )

    def lower(self, io: Io) -> Step:
        """Return the step of all turns; raise UnsupportedModelError where a kernel refuses one."""
        step = lowered(self)
        if step is None:
            raise UnsupportedModelError(f"{self.title}: no stripes of {self.rows} rows")
        return step


def lowered(op: Stripes) -> Step | None:
    """Return the step of a run of layers; None where a kernel does not take a band of it."""
    found = [member(each, op.member_io(each)) for each in op.members]
    members = [each for each in found if each is not None]
    return (
        None if len(members) < len(found) else lowered_turns(op, members, stripes(members, op.rows))
    )


def lowered_turns(op: Stripes, members: Sequence[Member], turns: Sequence[Stripe]) -> Step | None:
    """Return the step for turns that are known already."""
    steps: list[tuple[Step | None, ...]] = []
    for turn in turns:
        steps.append(
            tuple(
                op.bands.step(each, like, rows) if rows else None
                for each, like, rows in zip(members, op.kernels, turn.made, strict=True)
            )
        )
        if any(rows and step is None for rows, step in zip(turn.made, steps[-1], strict=True)):
            return None
    return _Layout(op, members, turns, steps).step()


class _Layout:
    """Where everything is in the working memory, and the program that follows from it."""

    def __init__(
        self,
        op: Stripes,
        members: Sequence[Member],
        turns: Sequence[Stripe],
        steps: Sequence[Sequence[Step | None]],
    ) -> None:
        self.op = op
        self.members = members
        self.turns = turns
        self.steps = steps
        self.maker = {each.io.y.name: i for i, each in enumerate(members)}
        self.readers = {
            name: [i for i, each in enumerate(members) if name in each.sources]
            for each in members
            for name in each.sources
        }
        self.windows = [name for name in self.readers if name in self.maker or name == op.fetched]
        self.lodgers = self._lodgers()

    def row(self, name: str) -> int:
        """Return the bytes of a row of a value."""
        return row_bytes(self.op.tensors[name])

    def home(self, name: str) -> str:
        """Return the value in whose window the rows of a value are."""
        while name in self.lodgers:
            name = self.lodgers[name]
        return name

    def in_place(self, i: int, name: str) -> bool:
        """Return whether a member may write its output exactly over one of its inputs."""
        each = self.members[i]
        positions = {k for k, t in enumerate(each.io.inputs) if t is not None and t.name == name}
        same = self.op.tensors[name].shape == each.io.y.shape
        calls = [turn[i] for turn in self.steps]
        return same and all(step is None or positions <= set(step.in_place) for step in calls)

    def _lodgers(self) -> dict[str, str]:
        """Return the values that need no window: their rows are made where the reader's go."""
        found: dict[str, str] = {}
        for i, each in enumerate(self.members):
            if each.io.y.name not in self.windows:
                continue
            for name in each.sources:
                alone = self.readers[name] == [i] and name in self.maker
                fleeting = all(t.held[name] == t.made[i] for t in self.turns)
                if alone and fleeting and self.in_place(i, name):
                    found[name] = each.io.y.name
                    break
        return found

    @cached_property
    def kept(self) -> frozenset[str]:
        """The windows of which rows outlive a turn."""
        found = set()
        for name in self.windows:
            end = 0
            for turn in self.turns:
                if turn.held[name].start < end and turn.held[name]:
                    found.add(name)
                end = turn.held[name].stop
        return frozenset(found)

    def blocks(self) -> list[Block]:
        """Return windows and the members' own working memory, with lifetimes within a turn."""
        count = len(self.members)
        spans: dict[str, tuple[int, int]] = {}
        for name in self.windows:
            home = self.home(name)
            first, last = self.maker.get(name, -1), max(self.readers[name])
            if name in self.kept:
                first, last = -1, count
            old = spans.get(home, (first, last))
            spans[home] = (min(old[0], first), max(old[1], last))
        blocks = []
        for name, span in spans.items():
            most = max(len(turn.held[name]) for turn in self.turns)
            blocks.append(Block(name, aligned(most * self.row(name)), *span))
        for i in range(count):
            size = max(
                (step.scratch_bytes or 0 for turn in self.steps if (step := turn[i])), default=0
            )
            if size:
                blocks.append(Block(f"\0{i}", aligned(size), i, i))
        return blocks

    def step(self) -> Step:
        """Return the step with its program."""
        blocks = self.blocks()
        offsets = pack(blocks, {}, _TRIES)
        size = max((offsets[b.key] + b.size for b in blocks), default=0)
        turns = tuple(tuple(self._actions(k, offsets)) for k in range(len(self.turns)))
        op = self.op
        program = Program(op.inputs, op.members, op.tensors, turns, op.fetched)
        flash = sum(step.cost.flash_bytes if step.cost else 0 for step in op.kernels)
        return Step(
            f"{len(turns)} stripes",
            inputs=tuple(i for i, name in enumerate(op.inputs) if name != op.fetched),
            scratch_bytes=size,
            accesses=self._accesses(),
            in_place=self._replaceable(),
            cost=Cost(self._instructions(program), flash),
            reason=f"{op.rows} row{'s' if op.rows > 1 else ''} at a time, for RAM",
            program=program,
        )

    def _instructions(self, program: Program) -> int:
        """Return what all calls take, and the moves at an instruction a byte."""
        calls = list(program.calls())
        work = sum(call.step.cost.instructions for call in calls if call.step.cost is not None)
        return work + CALL_INSTRUCTIONS * len(calls) + program.moved_bytes

    def place(self, name: str, row: int, turn: Stripe, offsets: Mapping[str, int]) -> Spot:
        """Return where a row of a value is in a turn."""
        at = row * self.row(name)
        if name == self.op.outputs[0]:
            return Spot(Base.OUTPUT, at, tensor=name)
        if name not in self.windows:
            return Spot(Base.INPUT, at, self.op.inputs.index(name), name)
        home = self.home(name)
        inside = (row - turn.held[home].start) * self.row(name)
        return Spot(Base.SCRATCH, offsets[home] + inside, tensor=name)

    def _actions(self, k: int, offsets: Mapping[str, int]) -> list[Action]:
        turn = self.turns[k]
        actions: list[Action] = []
        for name in self.windows:
            if k and name in self.kept:
                actions += self._moves(name, self.turns[k - 1].held[name], turn.held[name], offsets)
        fetched = self.op.fetched
        if fetched:
            start = self.turns[k - 1].held[fetched].stop if k else 0
            new = range(start, turn.held[fetched].stop)
            if new:
                actions.append(Fetch(self.place(fetched, start, turn, offsets).at, new))
        for i, each in enumerate(self.members):
            step = self.steps[k][i]
            if step is not None:
                actions.append(self._call(i, each, step, turn, offsets))
        return actions

    def _moves(
        self, name: str, before: range, now: range, offsets: Mapping[str, int]
    ) -> list[Action]:
        rows = range(now.start, before.stop)
        if not rows or now.start == before.start:
            return []
        source = offsets[name] + (now.start - before.start) * self.row(name)
        return [Move(offsets[name], source, len(rows) * self.row(name))]

    def _call(
        self, i: int, each: Member, step: Step, turn: Stripe, offsets: Mapping[str, int]
    ) -> Call:
        rows = turn.made[i]
        spots = []
        for position in step.inputs:
            tensor = each.io.input(position)
            if tensor.data is not None:
                spots.append(Spot(Base.CONSTANT, 0, tensor=tensor.name))
            else:
                spots.append(self.place(tensor.name, each.needs(rows).start, turn, offsets))
        scratch = None
        if step.scratch_bytes:
            scratch = Spot(Base.SCRATCH, offsets[f"\0{i}"])
        out = self.place(each.io.y.name, rows.start, turn, offsets)
        return Call(i, rows, step, tuple(spots), out, scratch)

    def _accesses(self) -> Accesses:
        """Return the bytes of the first input read, and of the output written, by each turn."""
        name = self.op.inputs[0]
        if name == self.op.fetched:
            return ()
        row, out_row = self.row(name), self.row(self.op.outputs[0])
        return tuple(
            (
                range(turn.held[name].start * row, turn.held[name].stop * row),
                range(turn.made[-1].start * out_row, turn.made[-1].stop * out_row),
            )
            for turn in self.turns
        )

    def _replaceable(self) -> tuple[int, ...]:
        """Return the inputs that only the last member reads, and may be written over exactly.

        A row that the next turn reads again must not be written over, whatever the kernel allows.
        """
        last = len(self.members) - 1
        if any(self.members[last].needs(turn.made[last]) != turn.made[last] for turn in self.turns):
            return ()
        return tuple(
            position
            for position, name in enumerate(self.op.inputs)
            if name != self.op.fetched
            and self.readers[name] == [last]
            and self.in_place(last, name)
        )
