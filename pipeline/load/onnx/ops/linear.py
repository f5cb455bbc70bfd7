"""Matrix products."""

from __future__ import annotations

import numpy as np
import tf_keras

from edgec.pipeline.load.onnx import keras_layers, views
from edgec.pipeline.load.onnx.broadcasting import combine, padded
from edgec.pipeline.load.onnx.builder import BatchMixed, Builder
from edgec.pipeline.load.onnx.nodes import Array, Node
from edgec.pipeline.load.onnx.ops.arithmetic import with_constant
from edgec.pipeline.load.onnx.registry import Refusal, importer
from edgec.pipeline.load.onnx.views import Value

L = tf_keras.layers


@importer("Gemm")
def gemm(builder: Builder, node: Node) -> None:
    """Import Gemm as Dense where its second operand is constant."""
    value = builder.value(node)
    if value.rank != 2:
        raise Refusal(f"first input of {value.rank} axes, wanted 2")
    if node.integer("transA", 0):
        value = views.permuted(value, (1, 0))
    alpha, beta = node.number("alpha", 1.0), node.number("beta", 1.0)
    bias = None
    if builder.is_constant(node, 2):
        bias = builder.constant(node, 2) * np.float32(beta)
    elif node.input(2) and beta != 1.0:
        raise Refusal(f"beta is {beta} for a computed third input, wanted 1")
    if not builder.is_constant(node, 1):
        result = _product(builder, node, value, alpha)
    else:
        kernel = builder.constant(node, 1)
        kernel = (kernel.T if node.integer("transB", 0) else kernel) * np.float32(alpha)
        fits = (
            bias is not None
            and bias.size in (1, kernel.shape[-1])
            and max((*bias.shape[:-1], 1)) == 1
        )
        result = dense(builder, value, kernel, bias if fits else None)
        bias = None if fits else bias
    if bias is not None:
        result = with_constant(builder, "add", result, bias, first=False)
    elif node.input(2) and not builder.is_constant(node, 2):
        result = combine(builder, L.Add, "add", result, builder.value(node, 2))
    builder.bind(node, result)


def _product(builder: Builder, node: Node, value: Value, alpha: float) -> Value:
    other = builder.value(node, 1)
    if node.integer("transB", 0):
        other = views.permuted(other, (1, 0))
    result = matmul(builder, value, other)
    if alpha == 1.0:
        return result
    return with_constant(builder, "multiply", result, np.array(alpha, np.float32), first=False)


@importer("MatMul")
def matmul_node(builder: Builder, node: Node) -> None:
    """Import MatMul, as Dense where one operand is a constant matrix."""
    if builder.is_constant(node, 1) and builder.constant(node, 1).ndim == 2:
        # Fusion with a following Add gives the node a third input.
        bias = builder.optional_constant(node, 2)
        result = dense(builder, builder.value(node), builder.constant(node, 1), bias)
    elif builder.is_constant(node, 0) and builder.constant(node, 0).ndim == 2:
        # A·x is the transpose of xᵀ·Aᵀ.
        value = builder.value(node, 1)
        if value.rank < 2:
            raise Refusal("a constant matrix times a vector")
        swap = [*range(value.rank - 2), value.rank - 1, value.rank - 2]
        kernel = builder.constant(node, 0).T
        result = dense(builder, views.permuted(value, swap), kernel, None)
        result = views.permuted(result, swap)
    else:
        result = matmul(builder, builder.value(node), builder.value(node, 1))
    builder.bind(node, result)


def dense(builder: Builder, value: Value, kernel: Array, bias: Array | None) -> Value:
    """Multiply the last axis by `kernel` of shape (inputs, units) and add `bias`."""
    if kernel.ndim != 2 or not value.rank or value.shape[-1] != kernel.shape[0]:
        raise Refusal(
            f"a matrix of shape {list(kernel.shape)} for an input of shape {list(value.shape)}"
        )
    value, kernel = _rows_in_place(builder, value, kernel)
    last = value.rank - 1
    leading = [axis for axis in builder.order_of(value) if axis != last]
    order = [*(leading or [None]), last]
    weights = [kernel]
    if bias is not None:
        weights.append(np.broadcast_to(bias.reshape(-1), kernel.shape[1:]))
    tensor = builder.weighted(
        L.Dense,
        builder.arrange(value, order).tensor,
        weights,
        kernel.shape[1],
        use_bias=bias is not None,
    )
    return builder.wrap(tensor, order)


def _rows_in_place(builder: Builder, value: Value, kernel: Array) -> tuple[Value, Array]:
    """Give a merged last axis its present order, permuting the rows of the kernel instead."""
    last = value.logical[-1]
    present = tuple(factor for factor in views.flat(value.physical) if factor in last)
    if present != last:
        rows = kernel.reshape([*(factor.size for factor in last), -1])
        order = [last.index(factor) for factor in present]
        kernel = rows.transpose([*order, len(last)]).reshape(kernel.shape)
        value = views.with_axes(value, (*value.logical[:-1], present))
    return value, kernel


def matmul(builder: Builder, left: Value, right: Value) -> Value:
    """Multiply two computed operands as numpy's matmul does."""
    if (
        not left.rank
        or not right.rank
        or left.shape[-1] != right.shape[-2 if right.rank > 1 else -1]
    ):
        raise Refusal(f"shapes {list(left.shape)} and {list(right.shape)} do not fit")
    vector_left, vector_right = left.rank == 1, right.rank == 1
    if vector_left:
        left = views.with_axes(left, ((), *left.logical))
    if vector_right:
        right = views.with_axes(right, (*right.logical, ()))
    rank = max(left.rank, right.rank)
    pair = [builder.arrange(padded(value, rank), list(range(rank))) for value in (left, right)]
    if builder.open_batch and rank == 2:
        raise BatchMixed
    tensor = builder.layer(keras_layers.Binary, [value.tensor for value in pair], "matmul")
    result = builder.wrap(tensor, list(range(rank)))
    logical = list(result.logical)
    if vector_right:
        logical.pop()
    if vector_left:
        logical.pop(-1 if vector_right else -2)
    return views.with_axes(result, logical)
