"""Compute at compile time what depends on constants only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgec.codegen.registry import Io, as_kernel_op
from edgec.pipeline.graph import Graph, Op
from edgec.targets.profile import Target


def run(graph: Graph, target: Target) -> Graph:
    """Return the graph without ops whose inputs are all constant; model outputs stay computed."""
    tensors = dict(graph.tensors)
    kept: list[Op] = []
    for op in graph.ops:
        present = [tensors[n] for n in op.inputs if n]
        known = all(t.data is not None for t in present)
        if not present or not known or set(op.outputs) & set(graph.outputs):
            kept.append(op)
            continue
        io = Io.of(replace(graph, tensors=tensors), op)
        values = as_kernel_op(op).reference(io, *(t.data if t else None for t in io.inputs))
        for tensor, value in zip(io.outputs, values, strict=True):
            data = np.ascontiguousarray(value, tensor.dtype.numpy)
            data.setflags(write=False)
            tensors[tensor.name] = replace(tensor, data=data)
    return graph.with_ops(kept, tensors)
