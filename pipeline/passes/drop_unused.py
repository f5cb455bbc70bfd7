"""Drop ops whose results nobody reads."""

from __future__ import annotations

from edgec.pipeline.graph import Graph, Op
from edgec.targets.profile import Target


def run(graph: Graph, target: Target) -> Graph:
    """Return the graph with only the ops that a model output or recurrent state depends on."""
    wanted = set(graph.outputs)
    kept: list[Op] = []
    for op in reversed(graph.ops):
        stateful = any(n and graph[n].variable for n in op.inputs)
        if stateful or wanted & set(op.outputs):
            kept.append(op)
            wanted |= set(op.inputs)
    return graph.with_ops(reversed(kept))
