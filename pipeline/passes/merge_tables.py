"""Make one table of functions of single int8 values that follow each other, or none at all.

Activations, rescalings, sums and products with one constant, and what lies between DEQUANTIZE and
QUANTIZE. The table is computed by the ops' references, for all 256 values. Where it gives back
every value that its input can have, readers take the input.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edgec.codegen.element_functions import CODES, element_input, table_of
from edgec.codegen.ranges import Range, value_ranges
from edgec.codegen.registry import Io, as_kernel_op
from edgec.codegen.table_op import TableOp
from edgec.pipeline.graph import Array, DType, Graph, Op, Tensor
from edgec.pipeline.passes.renaming import renamed
from edgec.targets.profile import Target


def run(graph: Graph, target: Target) -> Graph:
    """Return the graph with every chain of such functions merged or dropped."""
    ranges = value_ranges(graph)
    makers = {name: op for op in graph.ops for name in op.outputs}
    readers = graph.consumers()
    merged: dict[str, Op] = {}
    same: dict[str, str] = {}
    inside: set[str] = set()
    for op in reversed(graph.ops):
        out = op.outputs[0]
        chain = _chain(graph, op, makers, readers) if out not in inside else []
        if not chain:
            continue
        source = element_input(graph, chain[0])
        assert source is not None
        table = table_of(graph, chain)
        if out not in graph.outputs and _gives_back(graph[source], graph[out], table, ranges):
            same[out] = source
        elif len(chain) > 1:
            merged[out] = _table_op(op, source, table)
        else:
            continue
        inside |= {link.outputs[0] for link in chain[:-1]}
    ops = [merged.get(op.outputs[0], op) for op in graph.ops if op.outputs[0] not in inside]
    return graph.with_ops(renamed(ops, same)) if merged or same else graph


def _chain(
    graph: Graph, last: Op, makers: Mapping[str, Op], readers: Mapping[str, list[Op]]
) -> list[Op]:
    """Return the longest run of functions that ends with an op, from int8 to int8."""
    if graph[last.outputs[0]].dtype is not DType.INT8:
        return []
    found: list[Op] = []
    longest = 0
    op: Op | None = last
    while op is not None:
        source = element_input(graph, op)
        if source is None:
            break
        found.append(op)
        if graph[source].dtype is DType.INT8:
            longest = len(found)
        alone = len(readers[source]) == 1 and source not in graph.outputs
        op = makers.get(source) if alone else None
    chain = found[:longest][::-1]
    return [] if len(chain) == 1 and as_kernel_op(last).lower(Io.of(graph, last)).view else chain


def _gives_back(x: Tensor, y: Tensor, table: Array, ranges: Mapping[str, Range]) -> bool:
    if x.quant != y.quant or x.shape != y.shape:
        return False
    found = ranges.get(x.name)
    least, most = (-128, 127) if found is None else (found.low.min(), found.high.max())
    reached = slice(int(least) + 128, int(most) + 129)
    return bool(np.array_equal(table[reached], CODES[reached]))


def _table_op(last: Op, source: str, table: Array) -> TableOp:
    entries = np.empty(256, np.uint8)
    entries[CODES.view(np.uint8)] = table.view(np.uint8)
    return TableOp(
        inputs=(source,), outputs=last.outputs, rounding=last.rounding, table=entries.tobytes()
    )
