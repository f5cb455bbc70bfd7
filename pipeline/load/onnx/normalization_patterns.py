"""Recognises layer normalisation that exporters write as several nodes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgec.pipeline.load.onnx.fusions import Editor, Rewrite, Rule
from edgec.pipeline.load.onnx.nodes import Node


def layer_normalization(editor: Editor, node: Node) -> Rewrite | None:
    """(x - mean) / sqrt(mean((x - mean) ** 2) + epsilon), over the last axes."""
    if node.op != "Div":
        return None
    root = editor.sole(node.inputs[1], "Sqrt")
    total = editor.sole(root.inputs[0], "Add") if root is not None else None
    centred = editor.makers.get(node.inputs[0])
    if root is None or total is None or centred is None or centred.op != "Sub":
        return None
    epsilon, variance = editor.scalar(total.inputs[1]), editor.sole(total.inputs[0], "ReduceMean")
    source, mean = centred.inputs[0], editor.sole(centred.inputs[1], "ReduceMean")
    if variance is None or mean is None or mean.inputs[0] != source or epsilon is None:
        return None
    square = _square(editor, variance.inputs[0], centred)
    axes = _last_axes(editor, mean)
    sizes = editor.shapes.get(source, ())[-len(axes) :]
    if square is None or not axes or axes != _last_axes(editor, variance) or None in sizes:
        return None
    if len(sizes) != len(axes):
        return None
    scale = editor.add_constant(np.ones([size or 1 for size in sizes]))
    attributes = {"axis": -len(axes), "epsilon": epsilon}
    fused = Node(node.name, "LayerNormalization", (source, scale), node.outputs, attributes)
    return Rewrite((fused,), (root, total, variance, square, centred, mean))


def _square(editor: Editor, name: str, centred: Node) -> Node | None:
    """The node that squares the centred value, if nothing but it and the quotient read that."""
    value = centred.outputs[0]
    power, product = editor.sole(name, "Pow"), editor.sole(name, "Mul")
    if power is not None and power.inputs[0] == value and editor.scalar(power.inputs[1]) == 2:
        return power if editor.readers[value] == 2 else None
    if product is not None and set(product.inputs) == {value}:
        return product if editor.readers[value] == 3 else None
    return None


def _last_axes(editor: Editor, mean: Node) -> list[int]:
    """The axes of a ReduceMean that keeps them, if they are the last ones counted from the end."""
    given = editor.constant(mean.input(1))
    axes = sorted(given.tolist() if given is not None else mean.ints("axes", []))
    kept = mean.integer("keepdims", 1) == 1
    return axes if kept and axes == list(range(-len(axes), 0)) else []


def layer_affine(editor: Editor, node: Node) -> Rewrite | None:
    """Scale and offset after a layer normalisation without them: into its weights."""
    if node.op not in ("Mul", "Add") or len(node.inputs) != 2:
        return None
    for left, right in (node.inputs, node.inputs[::-1]):
        layer, operand = editor.sole(left, "LayerNormalization"), editor.constant(right)
        if layer is None or operand is None or operand.dtype != np.float32 or layer.input(2):
            continue
        scale = editor.constant(layer.input(1))
        if scale is None or scale.shape != operand.shape:
            continue
        inputs = (*layer.inputs[:2], right)
        if node.op == "Mul":
            inputs = (layer.inputs[0], editor.add_constant(scale * operand))
        return Rewrite((replace(layer, inputs=inputs, outputs=node.outputs),), (layer,))
    return None


RULES: tuple[Rule, ...] = (layer_normalization, layer_affine)
