"""Moves arithmetic with constants to where `linear_fusions` can fold it into weights."""

from __future__ import annotations

from dataclasses import replace

from edgec.pipeline.load.onnx.fusions import AFFINE, Editor, Rewrite, Rule
from edgec.pipeline.load.onnx.nodes import Array, Node


def behind_transpose(editor: Editor, node: Node) -> Rewrite | None:
    """Normalisation of a channels-last input, then Transpose: the Transpose first."""
    if node.op != "Transpose":
        return None
    order, name = node.ints("perm", []), node.inputs[0]
    chain: list[Node] = []
    while True:
        affine = editor.sole(name, *AFFINE)
        constant = editor.constant(affine.inputs[-1]) if affine is not None else None
        if affine is None or constant is None or constant.ndim > len(order):
            break
        chain.insert(0, affine)
        name = affine.inputs[0]
    shape = editor.shapes.get(name, ())
    if not chain or name not in editor.inputs or len(shape) != len(order):
        return None
    value = editor.new_name()
    editor.shapes[value] = tuple(shape[axis] for axis in order)
    nodes = [replace(node, inputs=(name,), outputs=(value,))]
    for affine in chain:
        constant = _transposed(editor.constants[affine.inputs[1]], order)
        result = node.outputs[0] if affine is chain[-1] else editor.new_name()
        editor.shapes[result] = editor.shapes[value]
        inputs = (value, editor.add_constant(constant))
        nodes.append(replace(affine, inputs=inputs, outputs=(result,)))
        value = result
    return Rewrite(tuple(nodes), tuple(chain))


def _transposed(constant: Array, order: list[int]) -> Array:
    """Permute a constant that broadcasts against as many axes as `order` has."""
    if constant.size == 1:
        return constant
    return constant.reshape((1,) * (len(order) - constant.ndim) + constant.shape).transpose(order)


def before_squeeze(editor: Editor, node: Node) -> Rewrite | None:
    """Squeeze of height or width, then a number a channel: the arithmetic first."""
    if node.op not in AFFINE or len(node.inputs) != 2:
        return None
    squeeze, operand = editor.sole(node.inputs[0], "Squeeze"), editor.constant(node.inputs[1])
    if squeeze is None or operand is None:
        return None
    source = squeeze.inputs[0]
    axes, shape = editor.constant(squeeze.input(1)), editor.shapes.get(source, ())
    if axes is None or axes.tolist() not in ([2], [3]) or len(shape) != 4:
        return None
    by_channel = operand.ndim in (2, 3) and operand.shape[-2] == operand.size
    if not by_channel or editor.readers[source] != 1:
        return None
    value = editor.new_name()
    editor.shapes[value] = shape
    constant = editor.add_constant(operand.reshape(-1, 1, 1))
    moved = replace(node, inputs=(source, constant), outputs=(value,))
    squeezed = replace(squeeze, inputs=(value, squeeze.inputs[1]), outputs=node.outputs)
    return Rewrite((moved, squeezed), (squeeze,))


RULES: tuple[Rule, ...] = (behind_transpose, before_squeeze)
