"""What a layer computed by stripes does, call by call: planned, printed and replayed from this."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from edgec.codegen.registry import KernelOp, Step
from edgec.pipeline.graph import Tensor


class Base(Enum):
    """Whose memory a pointer is into."""

    INPUT = "input"
    OUTPUT = "output"
    SCRATCH = "scratch"
    CONSTANT = "constant"


@dataclass(frozen=True, slots=True)
class Spot:
    """A pointer: `at` bytes into the working memory, the output, or the op's input `number`.

    Of a constant, only the name of the tensor counts.
    """

    base: Base
    at: int
    number: int = 0
    tensor: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """Make `rows` of a member's output; `inputs` are in the order of the step's."""

    member: int
    rows: range
    step: Step
    inputs: tuple[Spot, ...]
    output: Spot
    scratch: Spot | None


@dataclass(frozen=True, slots=True)
class Move:
    """Copy bytes within the working memory: rows that are needed again come first."""

    target: int
    source: int
    size: int


@dataclass(frozen=True, slots=True)
class Fetch:
    """Have the caller write rows of an input to the working memory."""

    target: int
    rows: range


Action = Call | Move | Fetch


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """All actions, turn by turn.

    `inputs` are the values that come from outside, by their positions among the op's inputs;
    `fetched` is the one that the caller gives by rows, if any.
    """

    inputs: tuple[str, ...]
    members: tuple[KernelOp, ...]
    tensors: Mapping[str, Tensor]
    turns: tuple[tuple[Action, ...], ...]
    fetched: str = ""

    @property
    def output(self) -> str:
        """The value that the last member makes."""
        return self.members[-1].outputs[0]

    def calls(self) -> Iterator[Call]:
        """Yield every call, in order."""
        for turn in self.turns:
            for action in turn:
                if isinstance(action, Call):
                    yield action

    @property
    def steps(self) -> tuple[Step, ...]:
        """The different steps, in order of their first call."""
        return tuple({id(call.step): call.step for call in self.calls()}.values())

    @property
    def moved_bytes(self) -> int:
        """How many bytes are copied in all."""
        return sum(a.size for turn in self.turns for a in turn if isinstance(a, Move))
