"""Make one TRANSPOSE of two that follow each other, or none where they undo each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgec.codegen.ops.transpose import Transpose
from edgec.pipeline.graph import Graph, Op, Tensor
from edgec.pipeline.passes.renaming import renamed
from edgec.targets.profile import Target


def run(graph: Graph, target: Target) -> Graph:
    """Return the graph in which no TRANSPOSE reads what another one made.

    The first one goes where nothing else reads it.
    """
    tensors = dict(graph.tensors)
    made: dict[str, Transpose] = {}
    same: dict[str, str] = {}
    ops: list[Op] = []
    for op in graph.ops:
        if isinstance(op, Transpose):
            source = same.get(op.inputs[0], op.inputs[0])
            first = made.get(source)
            if first is not None:
                order = tuple(first.order[i] for i in op.order)
                op = _with_order(op, first.inputs[0], order, tensors)
            if op.order == tuple(range(len(op.order))) and op.outputs[0] not in graph.outputs:
                same[op.outputs[0]] = op.inputs[0]
            else:
                made[op.outputs[0]] = op
        ops.append(op)
    left = graph.with_ops(renamed(ops, same), tensors)
    return _without_unread(left) if len(made) + len(same) else graph


def _with_order(
    op: Transpose, source: str, order: tuple[int, ...], tensors: dict[str, Tensor]
) -> Transpose:
    """Return a TRANSPOSE of `source`, its constant order entered into the tensors."""
    name = f"{op.outputs[0]}/order"
    data = np.array(order, np.int32)
    data.setflags(write=False)
    tensors[name] = Tensor(name, data.shape, tensors[op.inputs[1]].dtype, None, data)
    return replace(op, inputs=(source, name), order=order)


def _without_unread(graph: Graph) -> Graph:
    read = {name for op in graph.ops for name in op.inputs} | set(graph.outputs)
    kept = [op for op in graph.ops if not isinstance(op, Transpose) or op.outputs[0] in read]
    return graph.with_ops(kept)
