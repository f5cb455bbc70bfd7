"""Turns an ONNX graph into a Keras model, or lists every node that stands in the way."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.load.float_model import FloatModel, Port
from edgec.pipeline.load.onnx.builder import BatchMixed, Builder, InputRelaid
from edgec.pipeline.load.onnx.folding import FOLDABLE, constant_value, evaluate, fold_constants
from edgec.pipeline.load.onnx.fusions import fuse
from edgec.pipeline.load.onnx.model_file import MAX_ELEMENTS, MAX_RANK
from edgec.pipeline.load.onnx.nodes import GraphInput, Node, OnnxGraph
from edgec.pipeline.load.onnx.registry import Refusal, importers
from edgec.pipeline.load.onnx.views import Value

OF_INTEGERS = (
    "Cast", "Flatten", "Gather", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze",
)  # fmt: skip
"""Operators that take a model's integer inputs, or what is made of them."""


@dataclass(frozen=True, slots=True)
class InputPlan:
    """The fixed shape a model input gets, and its batch axis if the file leaves that open or 1.

    `whole` is whether it holds integers, which the Keras model takes as int32.
    """

    name: str
    shape: tuple[int, ...]
    batch: int | None
    whole: bool = False


def assemble(graph: OnnxGraph, source: str) -> FloatModel:
    """Build the Keras model of `graph`; `source` is the file's name for messages.

    The batch size is left open where the file's is open or 1 and no node works across the batch
    axis; otherwise it is fixed, to 1 where open.
    """
    graph = fuse(fold_constants(graph))
    plans = [_plan_input(item, source) for item in graph.inputs]
    if not plans:
        raise UnsupportedModelError(f"{source}: the model has no input")
    open_batch = all(plan.batch is not None for plan in plans)
    orders: dict[str, tuple[int, ...]] = {}
    while True:
        builder = Builder(graph.opset, open_batch, dict(orders))
        try:
            return _build(builder, graph, plans, source)
        except BatchMixed:
            if not builder.open_batch:
                raise
            open_batch = False
        except InputRelaid as request:
            orders[request.name] = request.order


def _plan_input(item: GraphInput, source: str) -> InputPlan:
    whole = item.dtype in (np.int32, np.int64)
    if item.dtype != np.float32 and not whole:
        raise UnsupportedModelError(
            f"{source}: input {item.name!r} is {item.dtype}, wanted float32, int32 or int64",
            "export the model with a float32 input",
        )
    open_axes = [axis for axis, size in enumerate(item.shape) if isinstance(size, str)]
    batch = 0 if item.shape and item.shape[0] == 1 else None
    if open_axes:
        named = [a for a in open_axes if "batch" in str(item.shape[a]).lower()]
        batch = 0 if 0 in open_axes else named[0] if named else None
    wrong = [axis for axis in open_axes if axis != batch]
    if wrong:
        listed = ", ".join(f"axis {axis} ({item.shape[axis] or 'unnamed'})" for axis in wrong)
        raise UnsupportedModelError(
            f"{source}: input {item.name!r} of shape {list(item.shape)} leaves {listed} open, "
            "wanted fixed sizes for all but the batch axis",
            "export with a fixed input shape (no dynamic_axes or dynamic_shapes for that axis)",
        )
    shape = tuple(size if isinstance(size, int) else 1 for size in item.shape)
    return InputPlan(item.name, shape, batch, whole)


def _build(builder: Builder, graph: OnnxGraph, plans: list[InputPlan], source: str) -> FloatModel:
    builder.constants.update(graph.constants)
    builder.used = frozenset((*graph.outputs, *(i for node in graph.nodes for i in node.inputs)))
    for plan in plans:
        batch = plan.batch if builder.open_batch else None
        builder.add_input(plan.name, plan.shape, batch, whole=plan.whole)
    sources = {plan.name: builder.values[plan.name] for plan in plans}
    refused: list[tuple[Node, str]] = []
    for node in graph.nodes:
        try:
            _import_node(builder, node)
        except Refusal as refusal:
            refused.append((node, str(refusal)))
        except (ValueError, tf.errors.OpError) as error:
            # Keras and TensorFlow raise these for operands that do not fit one another.
            refused.append((node, f"inconsistent with its inputs: {_first_line(error)}"))
        _stand_in(builder, node, graph)
    if refused:
        raise _unsupported(refused, source)
    outputs = [_output(builder, name, source) for name in graph.outputs]
    model = tf_keras.Model(
        [value.tensor for value in sources.values()],
        [value.tensor for value, _ in outputs],
        name=re.sub(r"[^A-Za-z0-9]+", "_", graph.name).strip("_").lower() or "model",
    )
    inputs = tuple(Port(plan.name, plan.shape, builder.input_axes[plan.name]) for plan in plans)
    return FloatModel(model, inputs, tuple(port for _, port in outputs))


def _import_node(builder: Builder, node: Node) -> None:
    builder.name_layers(node.name)
    if any(name and not builder.known(name) for name in node.inputs):
        if node.domain or node.op not in importers():
            raise Refusal(_why_unknown(node))
        return
    if node.domain:
        raise Refusal(_why_unknown(node))
    constant = all(name in builder.constants for name in node.inputs if name)
    if node.op == "Constant":
        builder.constants[node.outputs[0]] = constant_value(node)
    elif constant and node.op in FOLDABLE:
        arrays = [builder.constants.get(name) for name in node.inputs]
        builder.constants.update(
            zip(node.outputs, evaluate(node, builder.opset, arrays), strict=False)
        )
    elif node.op in importers():
        if node.op not in OF_INTEGERS and any(builder.is_whole(name) for name in node.inputs):
            raise Refusal(
                f"computes with integers that are not constant; only {', '.join(OF_INTEGERS)} do"
            )
        importers()[node.op](builder, node)
        for name in node.outputs:
            shape = builder.values[name].shape if name in builder.values else ()
            if len(shape) > MAX_RANK or math.prod(shape) > MAX_ELEMENTS:
                del builder.values[name]
                raise Refusal(f"an output of shape {list(shape[:MAX_RANK])} is too large")
    else:
        raise Refusal(_why_unknown(node))


def _why_unknown(node: Node) -> str:
    if node.domain:
        return f"operators of domain {node.domain!r} are not supported"
    return "operator not supported"


def _stand_in(builder: Builder, node: Node, graph: OnnxGraph) -> None:
    """After a refusal, let the nodes behind it be checked with values of the inferred shape."""
    for name in node.outputs:
        shape = graph.shapes.get(name)
        if not name or builder.known(name) or not shape or not 2 <= len(shape) <= MAX_RANK:
            continue
        if any(size is None or size < 1 for size in shape[1:]):
            continue
        sizes = tuple(size or 1 for size in shape)
        if math.prod(sizes) > MAX_ELEMENTS:
            continue
        if builder.open_batch and sizes[0] != 1:
            continue
        builder.add_input(name, sizes, 0 if builder.open_batch else None)
        builder.values[name] = replace(builder.values[name], origin="")


def _output(builder: Builder, name: str, source: str) -> tuple[Value, Port]:
    if name in builder.constants:
        raise UnsupportedModelError(f"{source}: output {name!r} does not depend on the input")
    builder.name_layers(name)
    value, order = builder.separated(builder.values[name])
    if any(axis is None for axis in order):
        raise BatchMixed
    if any(value.tensor is builder.values[item].tensor for item in builder.input_axes):
        # Keras needs at least one layer between an input and an output.
        tensor = builder.layer(tf_keras.layers.Activation, value.tensor, "linear")
        value = builder.like(value, tensor)
    return value, Port(name, value.shape, tuple(axis for axis in order if axis is not None))


def _unsupported(refused: list[tuple[Node, str]], source: str) -> UnsupportedModelError:
    lines = "\n".join(f"  {node.name}: {node.op}: {reason}" for node, reason in refused)
    count = f"{len(refused)} node" + ("s" if len(refused) > 1 else "")
    return UnsupportedModelError(
        f"{source}: {count} cannot be imported (name: operator: reason)\n{lines}",
        "replace these operators before the export; docs/onnx.md lists what is supported",
    )


def _first_line(error: Any) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
