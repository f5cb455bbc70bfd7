"""Drop DEQUANTIZE followed by QUANTIZE that gives back the same codes."""

from __future__ import annotations

import numpy as np

from edgec.codegen.registry import Io, KernelOp, as_kernel_op
from edgec.pipeline.graph import Array, DType, Graph, Op
from edgec.pipeline.passes.renaming import renamed
from edgec.targets.profile import Target


def run(graph: Graph, target: Target) -> Graph:
    """Return the graph with readers of such a QUANTIZE reading what was dequantised.

    That every code comes back is computed, not assumed: all 256 are put through both ops.
    """
    makers = {name: op for op in graph.ops for name in op.outputs}
    same: dict[str, str] = {}
    for op in graph.ops:
        maker = makers.get(op.inputs[0])
        if op.builtin != "QUANTIZE" or maker is None or maker.builtin != "DEQUANTIZE":
            continue
        if op.outputs[0] not in graph.outputs and _gives_back(graph, maker, op):
            same[op.outputs[0]] = maker.inputs[0]
    return graph.with_ops(renamed(graph.ops, same)) if same else graph


def _gives_back(graph: Graph, first: Op, second: Op) -> bool:
    source, out = graph[first.inputs[0]], graph[second.outputs[0]]
    if source.dtype is not DType.INT8 or out.dtype is not DType.INT8 or source.quant != out.quant:
        return False
    codes = np.arange(-128, 128).astype(np.int8)
    real = _apply(as_kernel_op(first), Io.of(graph, first), codes)
    return bool(np.array_equal(_apply(as_kernel_op(second), Io.of(graph, second), real), codes))


def _apply(op: KernelOp, io: Io, values: Array) -> Array:
    return np.asarray(op.reference(io, values)[0])
