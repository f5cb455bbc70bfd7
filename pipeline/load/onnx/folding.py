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

# fmt: off
_BROADCASTING = (
    "Add", "And", "Div", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max",
    "Min", "Mod", "Mul", "Or", "Pow", "Sub", "Where", "Xor",
)
_OF_LIMITED_SIZE = (
    "Abs", "ArgMax", "ArgMin", "Cast", "CastLike", "Ceil", "Clip", "Concat", "Cos",
    "DequantizeLinear", "Erf", "Exp", "Flatten", "Floor", "Gather", "GatherElements",
    "GatherND", "Gemm", "Identity", "Log", "MatMul", "Neg", "NonZero", "Not", "Reciprocal",
    "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "Relu", "Reshape",
    "Round", "ScatterND", "Shape", "Sigmoid", "Sign", "Sin", "Size", "Slice", "Softmax",
    "Split", "Sqrt", "Squeeze", "Tanh", "Transpose", "Trilu", "Unsqueeze",
)
_SIZED_BY_VALUE = ("ConstantOfShape", "Expand", "Pad", "Range", "Tile")
# fmt: on
FOLDABLE = frozenset((*_BROADCASTING, *_OF_LIMITED_SIZE, *_SIZED_BY_VALUE))


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
    if node.integer("num_outputs", len(node.outputs)) != len(node.outputs):
        raise Refusal(f"num_outputs is not {len(node.outputs)}")
    given = [array for array in arrays if array is not None]
    try:
        elements = _result_size(node, given) if given else 0
    except (ValueError, IndexError) as error:
        raise Refusal(f"inputs that do not fit one another: {error}") from error
    if elements > MAX_ELEMENTS:
        raise Refusal(f"a constant of {elements:.3g} elements, wanted at most {MAX_ELEMENTS}")


def _result_size(node: Node, arrays: Sequence[Array]) -> float:
    """At least the number of elements a node makes, without making them."""
    first = arrays[0]
    if node.op == "ConstantOfShape":
        if first.size > MAX_RANK:
            raise Refusal(f"a constant of {first.size} axes, wanted at most {MAX_RANK}")
        return math.prod(int(d) for d in first.ravel())
    if node.op == "Range":
        start, limit, delta = (float(array.ravel()[0]) for array in arrays)
        return abs(limit - start) / abs(delta) if delta else math.inf
    if node.op in ("Expand", "Tile"):
        return first.size * math.prod(max(abs(int(d)), 1) for d in arrays[1].ravel())
    if node.op == "Pad":
        return (first.size + 1) * math.prod(1 + abs(int(d)) for d in arrays[1].ravel())
    if node.op.startswith("Gather"):
        return float(first.size * arrays[1].size / max(first.shape[node.integer("axis", 0)], 1))
    if node.op in ("MatMul", "Gemm"):
        inner = max(first.shape[0 if node.integer("transA", 0) else -1], 1)
        return float(first.size * arrays[1].size / inner**2)
    if node.op in _BROADCASTING:
        return float(math.prod(np.broadcast_shapes(*(array.shape for array in arrays))))
    return sum(array.size for array in arrays)


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
