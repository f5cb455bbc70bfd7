"""Which ops of a graph are compiled together: one of products or pooling, and what follows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from edgec.codegen.joined import Joined
from edgec.codegen.registry import Accesses, Io, KernelOp, Step, as_kernel_op
from edgec.codegen.window import Window
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array, DType, Graph, Op, Tensor, check
from edgec.pipeline.tvm.formulas import Formula, formula_of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fused(Joined):
    """Ops that become one function of TVM's, made by `fuse`, never read from a file.

    Its inputs are what the members read from outside, then the formulas' constants.
    """

    builtin: ClassVar[str] = "FUSED"

    formulas: tuple[Formula, ...]

    @classmethod
    def of(cls, graph: Graph, members: Sequence[tuple[KernelOp, Formula]]) -> Self:
        """Return members of a graph joined; `constants` are the tensors that come with them."""
        ops = tuple(op for op, _ in members)
        formulas = tuple(formula for _, formula in members)
        names = dict.fromkeys(n for op in ops for n in (*op.inputs, *op.outputs) if n)
        tensors = {n: graph[n] for n in names}
        made = {n for op in ops for n in op.outputs}
        outside = dict.fromkeys(
            n for op, formula in members for n in op.inputs[: formula.inputs] if n not in made
        )
        constants = [t.name for op, formula in members for t in _constants(op, formula)]
        return cls(
            inputs=(*outside, *constants),
            outputs=ops[-1].outputs,
            rounding=ops[-1].rounding,
            members=ops,
            tensors=tensors,
            formulas=formulas,
        )

    @property
    def constants(self) -> tuple[Tensor, ...]:
        """The tensors that the formulas bring along."""
        pairs = zip(self.members, self.formulas, strict=True)
        return tuple(t for op, formula in pairs for t in _constants(op, formula))

    @property
    def accesses(self) -> Accesses:
        """What the default schedule reads of the first input and writes, row by row; () if unknown.

        It makes rows of windows one after the other, and takes all that it needs of the input for
        one before it writes the next.
        """
        first, last = self.members[0], self.members[-1]
        window: Window | None = getattr(first, "window", None)
        source = self.inputs[0]
        again = any(source in op.inputs for op in self.members[1:])
        if window is None or again:
            return ()
        return window.row_accesses(self.tensors[source], self.tensors[last.outputs[0]])

    @property
    def in_place(self) -> tuple[int, ...]:
        """The inputs whose elements are read when those of the output are written."""
        out = self.tensors[self.outputs[0]]
        first = 0 if self.formulas[0].elementwise else 1
        read_early = {n for op in self.members[:first] for n in op.inputs}
        late = {n for op in self.members[first:] for n in op.inputs} - read_early
        return tuple(
            i
            for i, name in enumerate(self.inputs)
            if name in late
            and self.tensors[name].shape == out.shape
            and self.tensors[name].data is None
        )

    def lower(self, io: Io) -> Step:
        """Refuse: the kernel is TVM's, and is known to the one who called it."""
        raise UnsupportedModelError(f"{self.title}: compiled by TVM only")


def _constants(op: KernelOp, formula: Formula) -> Iterator[Tensor]:
    for number, data in enumerate(formula.constants):
        yield _constant(f"{op.outputs[0]}\0{number}", data)


def _constant(name: str, data: Array) -> Tensor:
    return Tensor(name, data.shape, DType(str(data.dtype)), None, data)


def fuse(graph: Graph) -> Graph:
    """Return the graph with all ops that have a formula as ops for TVM.

    An element-wise op joins the op that makes one of its inputs, if nothing else reads that.
    """
    groups = _groups(graph)
    last = {op.outputs: group for group in groups for op, _ in group[-1:]}
    inner = {op.outputs for group in groups for op, _ in group[:-1]}
    ops: list[KernelOp] = []
    tensors = dict(graph.tensors)
    for op in graph.ops:
        if op.outputs in last:
            fused = Fused.of(graph, last[op.outputs])
            tensors |= {t.name: t for t in fused.constants}
            ops.append(fused)
        elif op.outputs not in inner:
            ops.append(as_kernel_op(op))
    return check(graph.with_ops(ops, tensors))


def _groups(graph: Graph) -> list[list[tuple[KernelOp, Formula]]]:
    readers = graph.consumers()
    groups: list[list[tuple[KernelOp, Formula]]] = []
    making: dict[str, list[tuple[KernelOp, Formula]]] = {}
    for each in graph.ops:
        op = as_kernel_op(each)
        io = Io.of(graph, op)
        formula = formula_of(op, io)
        if formula is None:
            continue
        joined = _joins(graph, op, formula, making, readers) if formula.elementwise else None
        if joined is None:
            joined = []
            groups.append(joined)
        else:
            del making[joined[-1][0].outputs[0]]
        joined.append((op, formula))
        making[op.outputs[0]] = joined
    return groups


def _joins(
    graph: Graph,
    op: KernelOp,
    formula: Formula,
    making: dict[str, list[tuple[KernelOp, Formula]]],
    readers: dict[str, list[Op]],
) -> list[tuple[KernelOp, Formula]] | None:
    """Return the group that an element-wise op joins: the one with the most work."""
    out = graph[op.outputs[0]]
    found = [
        making[name]
        for name in dict.fromkeys(op.inputs[: formula.inputs])
        if name in making
        and len(readers[name]) == 1
        and name not in graph.outputs
        and graph[name].shape == out.shape
    ]

    def work(group: list[tuple[KernelOp, Formula]]) -> int:
        return sum(member.macs(Io.of(graph, member)) for member, _ in group)

    return max(found, key=work, default=None)
