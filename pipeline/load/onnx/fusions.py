"""Rewrites of the ONNX graph that give Keras one layer where the exporter wrote several nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from edgec.pipeline.load.onnx.nodes import Array, Node, OnnxGraph


@dataclass(slots=True)
class Editor:
    """The graph under rewriting: who makes and who reads each value."""

    constants: dict[str, Array]
    makers: dict[str, Node]
    readers: Counter[str]

    @classmethod
    def of(cls, graph: OnnxGraph) -> Editor:
        """Index a graph."""
        readers = Counter(name for node in graph.nodes for name in node.inputs)
        readers.update(graph.outputs)
        makers = {name: node for node in graph.nodes for name in node.outputs if name}
        return cls(dict(graph.constants), makers, readers)

    def sole(self, name: str, *operators: str) -> Node | None:
        """The node of one of `operators` that makes `name` for a single reader, else None."""
        node = self.makers.get(name)
        if node is None or node.domain or node.op not in operators or self.readers[name] != 1:
            return None
        return node

    def constant(self, name: str) -> Array | None:
        """The constant of that name, or None."""
        return self.constants.get(name)

    def add_constant(self, array: Array) -> str:
        """Add a constant under a new name."""
        name = f"fused_{len(self.constants)}"
        while name in self.constants or name in self.makers or name in self.readers:
            name += "_"
        self.constants[name] = np.asarray(array, np.float32)
        return name


Rule = Callable[[Editor, Node], tuple[Node, list[Node]] | None]


def fuse(graph: OnnxGraph) -> OnnxGraph:
    """Apply each rule wherever it fits; the results compute the same."""
    for rule in RULES:
        graph = _apply(rule, graph)
    return graph


def _apply(rule: Rule, graph: OnnxGraph) -> OnnxGraph:
    editor = Editor.of(graph)
    gone: set[str] = set()
    result: list[Node] = []
    for node in graph.nodes:
        found = None if node.domain else rule(editor, node)
        if found is None:
            result.append(node)
            continue
        fused, replaced = found
        gone.update(item.outputs[0] for item in replaced)
        result.append(fused)
        for name in fused.outputs:
            editor.makers[name] = fused
    nodes = tuple(node for node in result if node.outputs[0] not in gone)
    return replace(graph, nodes=nodes, constants=editor.constants)


def matmul_bias(editor: Editor, node: Node) -> tuple[Node, list[Node]] | None:
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
        return replace(product, inputs=inputs, outputs=node.outputs), [product]
    return None


def fold_affine(editor: Editor, node: Node) -> tuple[Node, list[Node]] | None:
    """Add, Sub, Mul or Div of a constant a channel, after a linear operator: into its weights."""
    if node.op not in ("Add", "Sub", "Mul", "Div") or len(node.inputs) != 2:
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
            return replace(folded, outputs=node.outputs), [linear]
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


def crd_filters(editor: Editor, node: Node) -> tuple[Node, list[Node]] | None:
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
    editor.insert(moved)
    attributes = {**node.attributes, "mode": "DCR"}
    return replace(node, inputs=(inner,), attributes=attributes), [conv]


RULES: tuple[Rule, ...] = (matmul_bias, fold_affine)
