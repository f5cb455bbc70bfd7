"""Fusions around operators with weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgec.pipeline.load.onnx.fusions import AFFINE, Editor, Rewrite, Rule
from edgec.pipeline.load.onnx.nodes import Array, Node


def matmul_bias(editor: Editor, node: Node) -> Rewrite | None:
    """MatMul by a constant matrix, then Add of a constant vector: Gemm, in any rank."""
    if node.op != "Add" or len(node.inputs) != 2:
        return None
    for left, right in (node.inputs, node.inputs[::-1]):
        product, bias = editor.sole(left, "MatMul"), editor.constant(right)
        if product is None or bias is None:
            continue
        matrix = editor.constant(product.inputs[1])
        if matrix is None or matrix.ndim != 2 or bias.shape != matrix.shape[1:]:
            continue
        inputs = (product.inputs[0], product.inputs[1], right)
        fused = replace(product, inputs=inputs, outputs=node.outputs)
        return Rewrite((fused,), (product,))
    return None


def fold_affine(editor: Editor, node: Node) -> Rewrite | None:
    """Add, Sub, Mul or Div of a constant a channel, after a linear operator: into its weights."""
    if node.op not in AFFINE or len(node.inputs) != 2:
        return None
    pairs = (node.inputs, node.inputs[::-1]) if node.op in ("Add", "Mul") else (node.inputs,)
    for left, right in pairs:
        linear, operand = editor.sole(left, "Conv", "Gemm", "MatMul"), editor.constant(right)
        if linear is None or operand is None:
            continue
        weight = editor.constant(linear.inputs[1])
        if weight is None or operand.dtype != np.float32 or weight.dtype != np.float32:
            continue
        folded = _folded(editor, node.op, linear, weight, operand)
        if folded is not None:
            return Rewrite((replace(folded, outputs=node.outputs),), (linear,))
    return None


def _folded(
    editor: Editor, operation: str, linear: Node, weight: Array, operand: Array
) -> Node | None:
    """`linear` with new weights that include the operation, or None if it is not by channel."""
    axis = _output_axis(linear, weight)
    if axis is None:
        return None
    units = weight.shape[axis]
    vector = _by_channel(operand, units, weight.ndim if linear.op == "Conv" else 0)
    bias_name = linear.input(2)
    bias = editor.constant(bias_name) if bias_name else np.zeros(units, np.float32)
    if vector is None or bias is None or bias.shape != (units,):
        return None
    if operation in ("Mul", "Div"):
        scale = vector if operation == "Mul" else 1 / vector
        if not np.isfinite(scale).all():
            return None
        weight = weight * scale.reshape([units if i == axis else 1 for i in range(weight.ndim)])
        bias = bias * scale
    else:
        bias = bias + (vector if operation == "Add" else -vector)
    keep_bias = bool(bias_name) or operation in ("Add", "Sub")
    inputs = [linear.inputs[0], editor.add_constant(weight)]
    if keep_bias:
        inputs.append(editor.add_constant(bias))
    return replace(linear, inputs=tuple(inputs))


def _output_axis(linear: Node, weight: Array) -> int | None:
    """The axis of the weight that counts the outputs."""
    if linear.op == "Conv":
        return 0 if weight.ndim > 2 else None
    if weight.ndim != 2 or (linear.input(2) and linear.number("beta", 1.0) != 1.0):
        return None
    return 0 if linear.integer("transB", 0) else 1


def _by_channel(operand: Array, units: int, rank: int) -> Array | None:
    """The operand as one number a channel, or None; `rank` is 0 for channels in the last axis."""
    if operand.size == 1 and operand.ndim <= max(rank, 1):
        return np.broadcast_to(operand.reshape(-1), (units,))
    wanted = (units,) + (1,) * (rank - 2) if rank else (units,)
    if operand.shape == wanted or (rank and operand.shape == (1, *wanted)):
        return operand.reshape(-1)
    return None


def crd_filters(editor: Editor, node: Node) -> Rewrite | None:
    """Conv then DepthToSpace of mode CRD: the filters in the order of mode DCR."""
    if node.op != "DepthToSpace" or node.text("mode", "DCR") != "CRD":
        return None
    conv = editor.sole(node.inputs[0], "Conv")
    block = node.integer("blocksize", 1) ** 2
    if conv is None or conv.integer("group", 1) != 1:
        return None
    arrays = [editor.constant(name) for name in conv.inputs[1:] if name]
    if block < 1 or any(array is None or array.shape[0] % block for array in arrays):
        return None
    names = []
    for array in arrays:
        assert array is not None
        order = np.arange(array.shape[0]).reshape(-1, block).T.ravel()
        names.append(editor.add_constant(array[order]))
    inner = editor.new_name()
    moved = replace(conv, inputs=(conv.inputs[0], *names), outputs=(inner,))
    attributes = {**node.attributes, "mode": "DCR"}
    return Rewrite((moved, replace(node, inputs=(inner,), attributes=attributes)), (conv,))


def affine_convolution(editor: Editor, node: Node) -> Rewrite | None:
    """Add, Sub, Mul or Div of a constant a channel on an image: a 1x1 depthwise convolution.

    Quantisation-aware training accepts that and no other layer of this kind. Scalars are rewritten
    only on a model input, where they are normalisation.
    """
    if node.op not in AFFINE or len(node.inputs) != 2:
        return None
    folded = fold_affine(editor, node)
    if folded is not None:
        return folded
    pairs = (node.inputs, node.inputs[::-1]) if node.op in ("Add", "Mul") else (node.inputs,)
    for left, right in pairs:
        operand, shape = editor.constant(right), editor.shapes.get(left, ())
        if operand is None or left in editor.constants or len(shape) != 4 or not shape[1]:
            continue
        channels = shape[1]
        vector = _by_channel(operand, channels, 4)
        if vector is None or (operand.size == 1 and not _is_input(editor, left)):
            continue
        identity = np.ones((channels, 1, 1, 1), np.float32)
        inputs = (left, editor.add_constant(identity))
        blank = replace(node, op="Conv", inputs=inputs, attributes={"group": channels})
        layer = _folded(editor, node.op, blank, identity, operand)
        return None if layer is None else Rewrite((layer,), ())
    return None


def _is_input(editor: Editor, name: str) -> bool:
    """Whether the value is a model input, as it is or transposed."""
    maker = editor.makers.get(name)
    if maker is not None and maker.op == "Transpose":
        name = maker.inputs[0]
    return name in editor.inputs


RULES: tuple[Rule, ...] = (
    matmul_bias,
    affine_convolution,
    crd_filters,
)
