"""Computes nodes whose inputs are all known, such as the shape arithmetic exporters write."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from edgec.pipeline.load.onnx.model_file import MAX_ELEMENTS, MAX_RANK
from edgec.pipeline.load.onnx.nodes import Array, Node, OnnxGraph
from edgec.pipeline.load.onnx.registry import Refusal

_SAME_SIZE = [
    "Abs",
    "And",
    "Cast",
    "CastLike",
    "Ceil",
    "Clip",
    "Cos",
    "Div",
    "Equal",
    "Erf",
    "Exp",
    "Flatten",
    "Floor",
    "Greater",
    "GreaterOrEqual",
    "Identity",
    "Less",
    "LessOrEqual",
    "Log",
    "Max",
    "Min",
    "Mod",
    "Mul",
    "Neg",
    "Not",
    "Or",
    "Pow",
    "Reciprocal",
    "Relu",
    "Reshape",
    "Round",
    "ScatterND",
    "Sigmoid",
    "Sign",
    "Sin",
    "Softmax",
    "Sqrt",
    "Squeeze",
    "Sub",
    "Tanh",
    "Transpose",
    "Trilu",
    "Unsqueeze",
    "Where",
    "Xor",
    "Add",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceProd",
    "ReduceSum",
    "Slice",
    "Split",
    "Size",
    "Shape",
    "Concat",
    "Gather",
    "GatherElements",
    "GatherND",
    "MatMul",
    "Gemm",
    "DequantizeLinear",
    "NonZero",
    "ArgMax",
    "ArgMin",
]
_SIZED_BY_VALUE = ("ConstantOfShape", "Expand", "Range", "Tile", "Pad")
FOLDABLE = frozenset((*_SAME_SIZE, *_SIZED_BY_VALUE))


def constant_value(node: Node) -> Array:
    """Return what a Constant node holds."""
    types = {"value_float": np.float32, "value_floats": np.float32}
    for name, value in node.attributes.items():
        if name == "value":
            return np.asarray(value)
        if name.startswith(("value_int", "value_float")):
            return np.asarray(value, dtype=types.get(name, np.int64))
    raise Refusal("a constant that holds no number")


def evaluate(node: Node, opset: int, arrays: Sequence[Array | None]) -> list[Array]:
    """Compute a foldable node; an omitted optional input is None.

    Raise Refusal if the result would be too large or the node does not fit its inputs.
    """
    _check_size(node, arrays)
    proto = onnx.helper.make_node(
        node.op,
        [
            name if array is not None else ""
            for name, array in zip(node.inputs, arrays, strict=True)
        ],
        list(node.outputs),
        name=node.name,
        **{key: _attribute(value) for key, value in node.attributes.items()},
    )
    feed = {
        name: array for name, array in zip(node.inputs, arrays, strict=True) if array is not None
    }
    try:
        # The evaluator is onnx's own; it raises whatever numpy raises on inputs that do not fit.
        results = ReferenceEvaluator(proto, opsets={"": opset}).run(None, feed)
    except Exception as error:
        raise Refusal(f"cannot be computed from its constant inputs: {error}") from error
    return [np.asarray(result) for result in results]


def _attribute(value: Any) -> Any:
    return onnx.numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value


def _check_size(node: Node, arrays: Sequence[Array | None]) -> None:
    """Refuse a node that would make an array too large to be a constant of an embedded model."""
    first = arrays[0] if arrays else None
    sizes = [array.size for array in arrays if array is not None]
    if first is None or node.op not in _SIZED_BY_VALUE:
        # Broadcasting and table look-ups can still multiply sizes.
        elements = math.prod(sizes[:2]) if node.op not in ("Concat", "Where") else sum(sizes)
        if node.op in ("Where", "Clip"):
            elements = math.prod(sizes)
    elif node.op == "ConstantOfShape":
        elements = math.prod(int(d) for d in first.ravel())
        if first.size > MAX_RANK:
            raise Refusal(f"a constant of {first.size} axes, wanted at most {MAX_RANK}")
    elif node.op == "Range":
        start, limit, delta = (float(a.ravel()[0]) for a in arrays if a is not None)
        elements = int(abs(limit - start) / max(abs(delta), 1e-9))
    else:
        amounts = arrays[1]
        assert amounts is not None
        if node.op == "Pad":
            elements = (first.size + 1) * math.prod(1 + abs(int(d)) for d in amounts.ravel())
        else:
            elements = max(first.size, 1) * math.prod(abs(int(d)) for d in amounts.ravel())
    if elements > MAX_ELEMENTS and node.op not in ("Gemm", "MatMul", "Reshape", "Mul", "Add"):
        raise Refusal(f"a constant of {elements} elements, wanted at most {MAX_ELEMENTS}")


def fold_constants(graph: OnnxGraph) -> OnnxGraph:
    """Compute every node that depends on constants only, so that fusions see weights as weights.

    A node that cannot be computed stays; the builder then reports it.
    """
    constants = dict(graph.constants)
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.domain:
            nodes.append(node)
            continue
        try:
            results = _known_results(node, graph.opset, constants)
        except Refusal:
            results = None
        if results is None:
            nodes.append(node)
        else:
            constants.update(zip(node.outputs, results, strict=False))
    return replace(graph, nodes=tuple(nodes), constants=constants)


def _known_results(node: Node, opset: int, constants: Mapping[str, Array]) -> list[Array] | None:
    if node.op == "Constant":
        return [constant_value(node)]
    if node.op not in FOLDABLE or not all(name in constants for name in node.inputs if name):
        return None
    return evaluate(node, opset, [constants.get(name) for name in node.inputs])
