"""Element-wise arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np
import tf_keras

from edgec.pipeline.load.onnx import keras_layers, views
from edgec.pipeline.load.onnx.broadcasting import broadcast_shape, combine, constant_layout, padded
from edgec.pipeline.load.onnx.builder import BatchMixed, Builder
from edgec.pipeline.load.onnx.nodes import Array, Node
from edgec.pipeline.load.onnx.registry import Refusal, importer
from edgec.pipeline.load.onnx.views import Value

L = tf_keras.layers
_BINARY: dict[str, tuple[str, Any]] = {
    "Add": ("add", L.Add),
    "Sub": ("subtract", L.Subtract),
    "Mul": ("multiply", L.Multiply),
    "Div": ("divide", None),
    "Pow": ("power", None),
    "Max": ("maximum", L.Maximum),
    "Min": ("minimum", L.Minimum),
    "Sum": ("add", L.Add),
}
_KEEPS_NONNEGATIVE = ("Add", "Mul", "Div", "Pow", "Max", "Min", "Sum")
_UNARY = {
    "Abs": (keras_layers.Abs, True),
    "Exp": (keras_layers.Exp, True),
    "Log": (keras_layers.Log, False),
    "Neg": (keras_layers.Negate, False),
    "Sqrt": (keras_layers.Sqrt, True),
}


@importer("Abs", "Exp", "Log", "Neg", "Sqrt")
def unary(builder: Builder, node: Node) -> None:
    """Import a function of one value."""
    layer, nonnegative = _UNARY[node.op]
    value = builder.value(node)
    tensor = builder.layer(layer, value.tensor)
    builder.bind(node, builder.like(value, tensor, nonnegative=nonnegative))


@importer("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Sum")
def binary(builder: Builder, node: Node) -> None:
    """Import a function of two values, or of any number for Max, Min and Sum."""
    function, layer = _BINARY[node.op]
    keep = node.op in _KEEPS_NONNEGATIVE
    if len(node.inputs) == 1:
        value = builder.value(node)
        builder.bind(node, value)
        return
    # Constants come last where order does not matter, so that they join one tensor.
    indices = sorted(range(len(node.inputs)), key=lambda i: builder.is_constant(node, i))
    if node.op in ("Sub", "Div", "Pow"):
        indices = [0, 1]
    if all(builder.is_constant(node, i) for i in indices):
        raise Refusal("all inputs are constants")
    if builder.is_constant(node, indices[0]):
        value = builder.value(node, indices[1])
        constant = builder.constant(node, indices[0])
        builder.bind(node, with_constant(builder, function, value, constant, first=True))
        return
    value = builder.value(node, indices[0])
    for index in indices[1:]:
        if builder.is_constant(node, index):
            constant = builder.constant(node, index)
            nonnegative = keep and value.nonnegative and bool((constant >= 0).all())
            value = with_constant(builder, function, value, constant, first=False)
        else:
            other = builder.value(node, index)
            nonnegative = keep and value.nonnegative and other.nonnegative
            value = combine(builder, layer, function, value, other)
        value = builder.like(value, value.tensor, nonnegative=nonnegative)
    builder.bind(node, value)


def with_constant(
    builder: Builder, function: str, value: Value, constant: Array, *, first: bool
) -> Value:
    """Apply a binary function to a value and a weight."""
    if not np.issubdtype(constant.dtype, np.number):
        raise Refusal(f"a constant of type {constant.dtype}, wanted numbers")
    shape = broadcast_shape(value.shape, constant.shape)
    if constant.size == 1:
        layout: Array = constant.reshape(())
        value = padded(value, len(shape))
        result: list[int | None] | None = None
    else:
        value, result = builder.separated(padded(value, len(shape)))
        layout = constant_layout(constant, len(shape), result)
        batch = views.batch_axis(value.logical)
        if builder.open_batch and (layout.shape[0] != 1 or (batch is None and result[0] == 0)):
            raise BatchMixed
    tensor = builder.weighted(
        keras_layers.ConstantOperand,
        value.tensor,
        [layout],
        function,
        layout.shape,
        first=first,
    )
    if result is None:
        return builder.like(value, tensor)
    return builder.wrap(tensor, result, origin=value.origin)
