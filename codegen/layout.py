"""Where everything lives while the model runs: the planner makes a Plan, the emitter prints it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from edgec.codegen.registry import Step


class Region(Enum):
    """Which memory a value is in: the arena, a caller's buffer, or flash."""

    ARENA = "arena"
    INPUT = "input"
    OUTPUT = "output"
    CONSTANT = "constant"


@dataclass(frozen=True, slots=True)
class Place:
    """A value's memory: byte offset in the arena, or number of the caller's buffer."""

    region: Region
    at: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Memory of one graph, whose ops are in the order in which they run.

    `steps` has one entry an op. `scratch` is the arena offset of each op's working memory, None
    where it has none. `copies` are the ops that are views of memory that must not be shared, so
    that their bytes are copied. `bound_bytes` is the most that is alive at once, below which no
    arena can go unless outputs are written over inputs. `inputs_at` and `outputs_at` are where in
    the arena the caller may keep the model's inputs and outputs, instead of in memory of its own;
    None for an input that is given by rows, which is nowhere whole.
    """

    steps: tuple[Step, ...]
    places: Mapping[str, Place]
    scratch: tuple[int | None, ...]
    copies: frozenset[int]
    arena_bytes: int
    bound_bytes: int
    inputs_at: tuple[int | None, ...] = ()
    outputs_at: tuple[int, ...] = ()

    @property
    def fetched(self) -> str:
        """The input that the caller gives by rows; empty if there is none."""
        return fetched(self.steps)


def fetched(steps: Sequence[Step]) -> str:
    """Return the model's input that one of the steps takes by rows; empty if there is none."""
    found = (step.program.fetched for step in steps if step.program is not None)
    return next((name for name in found if name), "")
