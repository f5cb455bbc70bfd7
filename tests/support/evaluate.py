"""Runs a graph by the numpy references of its ops."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgec.codegen.registry import Io, as_kernel_op
from edgec.pipeline.graph import Graph


def run_numpy(graph: Graph, samples: Sequence[Sequence[np.ndarray]]) -> list[list[np.ndarray]]:
    """Return the outputs of each sample; for graphs without state."""
    results = []
    for sample in samples:
        values = dict(zip(graph.inputs, sample, strict=True))
        for op in graph.ops:
            io = Io.of(graph, op)
            args = [None if t is None else values.get(t.name, t.data) for t in io.inputs]
            for name, value in zip(op.outputs, as_kernel_op(op).reference(io, *args), strict=True):
                values[name] = value
        results.append([np.asarray(values[name]) for name in graph.outputs])
    return results
