"""Make a ReLU part of the op whose output it clamps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from edgec.pipeline.graph import Activation, Graph, Op
from edgec.targets.profile import Target

_CLAMPS = {
    "RELU": Activation.RELU,
    "RELU6": Activation.RELU6,
    "RELU_N1_TO_1": Activation.RELU_N1_TO_1,
}


def run(graph: Graph, target: Target) -> Graph:
    """Return the graph with each lone clamp between equal quantisations fused into its producer.

    Between equal quantisations the op clamps codes and changes nothing else, as the fused
    activation does.
    """
    readers = graph.consumers()
    makers = {name: op for op in graph.ops for name in op.outputs}
    renamed: dict[str, Op] = {}
    dropped: set[str] = set()
    for op in graph.ops:
        if op.builtin not in _CLAMPS:
            continue
        source, out = op.inputs[0], op.outputs[0]
        maker: Any = makers.get(source)
        unclamped = getattr(maker, "activation", None) is Activation.NONE
        alone = len(readers[source]) == 1 and source not in graph.outputs
        if unclamped and alone and source not in renamed:
            if graph[source].quant != graph[out].quant:
                continue
            renamed[source] = replace(maker, activation=_CLAMPS[op.builtin], outputs=(out,))
            dropped.add(out)
    ops: list[Op] = []
    for op in graph.ops:
        if op.outputs[0] in renamed:
            ops.append(renamed[op.outputs[0]])
        elif op.outputs[0] not in dropped:
            ops.append(op)
    return graph.with_ops(ops) if dropped else graph
