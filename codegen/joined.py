"""Several ops of a graph that are computed together, as one op: what all such have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from edgec.codegen.registry import Io, KernelOp, Node, Shape
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array, Tensor


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Joined(KernelOp):
    """Members in order, of whose values only the last one's is needed outside.

    `tensors` are all that the members touch.
    """

    members: tuple[KernelOp, ...]
    tensors: Mapping[str, Tensor]

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Refuse: no file has this op."""
        raise UnsupportedModelError(f"op {node.index}: {node.builtin} is no operator of a file")

    @property
    def title(self) -> str:
        """The members' names, repeated ones counted."""
        names: list[list[Any]] = []
        for op in self.members:
            if names and names[-1][0] == op.builtin:
                names[-1][1] += 1
            else:
                names.append([op.builtin, 1])
        return " + ".join(name if n == 1 else f"{n} {name}" for name, n in names)

    def member_io(self, op: KernelOp) -> Io:
        """Return the tensors of a member."""
        ins = tuple(self.tensors[n] if n else None for n in op.inputs)
        return Io(ins, tuple(self.tensors[n] for n in op.outputs))

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the last member's output shape."""
        last = self.members[-1]
        return last.shapes(self.member_io(last))

    def macs(self, io: Io) -> int:
        """Return the members' sum."""
        return sum(op.macs(self.member_io(op)) for op in self.members)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Compute the members one after the other, each whole."""
        values: dict[str, Array | None] = dict(zip(self.inputs, inputs, strict=True))
        for op in self.members:
            own = self.member_io(op)
            args = (None if t is None else values.get(t.name, t.data) for t in own.inputs)
            values |= dict(zip(op.outputs, op.reference(own, *args), strict=True))
        return (np.asarray(values[self.outputs[0]]),)
