"""Make a clamp part of the op whose output it clamps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from edgec.codegen.element_functions import CODES, element_input, table_of
from edgec.codegen.ops.svdf import Svdf
from edgec.codegen.quantmath import activation_range
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Activation, DType, Graph, Op, Tensor
from edgec.targets.profile import Target

_CLAMPS = {
    "RELU": Activation.RELU,
    "RELU6": Activation.RELU6,
    "RELU_N1_TO_1": Activation.RELU_N1_TO_1,
}


def run(graph: Graph, target: Target) -> Graph:
    """Return the graph with each lone clamp between equal quantisations fused into its producer.

    Between equal quantisations the op clamps codes and changes nothing else, as the fused
    activation does. MAXIMUM and MINIMUM with one constant are clamps too; a producer that clamps
    already takes another clamp where one activation does both.
    """
    readers = graph.consumers()
    makers: dict[str, Any] = {name: op for op in graph.ops for name in op.outputs}
    dropped: set[str] = set()
    for op in graph.ops:
        source = element_input(graph, op) if len(op.outputs) == 1 else None
        maker: Any = None if source is None else makers.get(source)
        if source is None or not hasattr(maker, "activation"):
            continue
        if isinstance(maker, Svdf):  # in int8 it names an activation, and clamps nothing
            continue
        if len(readers[source]) > 1 or source in graph.outputs:
            continue
        activation = _fused(graph, op, source, maker.activation)
        if activation is not None:
            dropped.add(source)
            out = op.outputs[0]
            makers[out] = replace(maker, activation=activation, outputs=(out,))
    # where each clamp was, what it clamped is made: all that it reads is there
    ops = [makers[op.outputs[0]] for op in graph.ops if op.outputs[0] not in dropped]
    return graph.with_ops(ops) if dropped else graph


def _fused(graph: Graph, op: Op, source: str, first: Activation) -> Activation | None:
    """Return the activation that does what `first` and then a clamp do, if there is one."""
    x, y = graph[source], graph[op.outputs[0]]
    if x.quant != y.quant or x.dtype is not y.dtype:
        return None
    if x.dtype is not DType.INT8:
        return _CLAMPS.get(op.builtin) if first is Activation.NONE else None
    table = table_of(graph, [op])
    clamp = int(table.min()), int(table.max())
    if not np.array_equal(table, np.clip(CODES, *clamp)):
        return None
    ends = activation_range(first, x)
    wanted = tuple(int(n) for n in np.clip(ends, *clamp))
    return next((a for a in (first, *Activation) if _range(a, y) == wanted), None)


def _range(activation: Activation, y: Tensor) -> tuple[int, int] | None:
    try:
        return activation_range(activation, y)
    except UnsupportedModelError:  # nothing is left between the bounds
        return None
