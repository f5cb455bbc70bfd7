"""Ops that are a function of one value at a time, and that function as a table of int8 codes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from edgec.codegen.binary import BinaryOp
from edgec.codegen.ops.dequantize import Dequantize
from edgec.codegen.ops.quantize import Quantize
from edgec.codegen.rectifier import Rectifier
from edgec.codegen.registry import Io, as_kernel_op
from edgec.codegen.table_op import TableOp
from edgec.codegen.unary import Unary
from edgec.pipeline.graph import Array, DType, Graph, Op

CODES = np.arange(-128, 128).astype(np.int8)


def element_input(graph: Graph, op: Op) -> str | None:
    """Return the one input that an op computes each element from; None for other ops.

    Other inputs are constants of one value. Where float32 is involved, only ops count whose numpy
    reference equals the interpreter's in every bit.
    """
    io = Io.of(graph, op)
    if len(io.outputs) != 1:
        return None
    if isinstance(op, BinaryOp):
        computed = [t for t in io.present if t.data is None]
        single = all((t.values == t.values.flat[0]).all() for t in io.present if t.data is not None)
        exact = io.y.dtype is DType.INT8 and single
        same = len(computed) == 1 and computed[0].shape == io.y.shape
        return computed[0].name if exact and same else None
    in_float = DType.FLOAT32 in (io.x.dtype, io.y.dtype)
    kinds = (Dequantize, Quantize, Rectifier) if in_float else (Unary, Quantize, TableOp)
    return io.x.name if isinstance(op, kinds) else None


def table_of(graph: Graph, ops: Iterable[Op]) -> Array:
    """Return what ops that follow each other make of each int8 code, from -128 up."""
    values: Array = CODES
    for op in ops:
        io = Io.of(graph, op)
        name = element_input(graph, op)
        args = (
            values if t is None or t.name == name else t.values.reshape(-1)[:1] for t in io.inputs
        )
        values = np.asarray(as_kernel_op(op).reference(io, *args)[0])
    return values
