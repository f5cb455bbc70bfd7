"""Recurrent layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tf_keras

from edgec.pipeline.load.onnx import tensor_layers
from edgec.pipeline.load.onnx.builder import Builder
from edgec.pipeline.load.onnx.nodes import Array, Node
from edgec.pipeline.load.onnx.registry import Refusal, importer
from edgec.pipeline.load.onnx.views import Factor, Value

L = tf_keras.layers
_DEFAULTS = {"LSTM": ["sigmoid", "tanh", "tanh"], "GRU": ["sigmoid", "tanh"]}
# Order of the gates in Keras, by their index in ONNX: LSTM iofc to ifco, GRU zrh to zrh.
_GATES = {"LSTM": (0, 2, 3, 1), "GRU": (0, 1, 2)}


@dataclass(frozen=True, slots=True)
class Cell:
    """A recurrent node: its options, checked, and the weights of each direction."""

    kind: str
    units: int
    directions: int
    backwards: bool
    reset_after: bool
    weights: tuple[tuple[Array, ...], ...]


@importer("LSTM", "GRU")
def recurrent(builder: Builder, node: Node) -> None:
    """Import LSTM and GRU, one or both ways, with the default activations."""
    cell = _read_cell(builder, node)
    batch_first = bool(node.integer("layout", 0))
    value = builder.value(node)
    if value.rank != 3:
        raise Refusal(f"input of {value.rank} axes, wanted 3")
    value = builder.arrange(value, [0, 1, 2] if batch_first else [1, 0, 2])
    steps = value.shape[1 if batch_first else 0]
    _check_lengths(builder, node, steps)
    states = _initial_states(builder, node, cell, batch_first)
    tensors = _run(builder, node, cell, value.tensor, states)
    steps_tensor, *finals = tensors
    if builder.wanted(node, 0):
        builder.bind(node, _sequence(builder, cell, steps_tensor, batch_first))
    for index, tensor in enumerate(finals, start=1):
        if builder.wanted(node, index):
            builder.bind(node, _final(builder, cell, tensor, batch_first), index)


def _read_cell(builder: Builder, node: Node) -> Cell:
    direction = node.text("direction", "forward")
    directions = 2 if direction == "bidirectional" else 1
    kind = node.op
    wanted = _DEFAULTS[kind] * directions
    activations = [str(name).lower() for name in node.attributes.get("activations", wanted)]
    if activations != wanted:
        raise Refusal(f"activations are {activations}, wanted {wanted}")
    if "clip" in node.attributes or node.integer("input_forget", 0):
        raise Refusal("clip or input_forget")
    if kind == "LSTM" and node.input(7) and np.any(builder.constant(node, 7)):
        raise Refusal("peephole weights")
    kernel, recurrent_kernel = builder.constant(node, 1), builder.constant(node, 2)
    bias = builder.optional_constant(node, 3)
    gates = len(_GATES[kind])
    units = recurrent_kernel.shape[-1]
    if bias is None:
        bias = np.zeros((directions, 2 * gates * units), np.float32)
    shapes = recurrent_kernel.shape, kernel.shape[:2], bias.shape
    rows = gates * units
    if shapes != ((directions, rows, units), (directions, rows), (directions, 2 * rows)):
        raise Refusal(f"weights of shapes {shapes} for {directions} directions of {units} units")
    reset_after = kind == "GRU" and bool(node.integer("linear_before_reset", 0))
    weights = tuple(
        _keras_weights(kind, kernel[d], recurrent_kernel[d], bias[d], reset_after)
        for d in range(directions)
    )
    return Cell(kind, units, directions, direction == "reverse", reset_after, weights)


def _keras_weights(
    kind: str, kernel: Array, recurrent_kernel: Array, bias: Array, reset_after: bool
) -> tuple[Array, ...]:
    order = list(_GATES[kind])
    units = recurrent_kernel.shape[-1]

    def gates(rows: Array) -> Array:
        return rows.reshape(len(order), units, -1)[order].reshape(len(order) * units, -1)

    both = np.stack([gates(half)[:, 0] for half in np.split(bias, 2)])
    biases = both if reset_after else both.sum(axis=0)
    return gates(kernel).T, gates(recurrent_kernel).T, biases


def _check_lengths(builder: Builder, node: Node, steps: int) -> None:
    lengths = builder.optional_constant(node, 4)
    if lengths is not None and np.any(lengths != steps):
        raise Refusal("sequences shorter than the input")


def _initial_states(
    builder: Builder, node: Node, cell: Cell, batch_first: bool
) -> list[list[Any]] | None:
    """The initial states of each direction, or None if all are zero."""
    indices = (5, 6) if cell.kind == "LSTM" else (5,)
    given = [index for index in indices if node.input(index)]
    if all(
        builder.is_constant(node, index) and not builder.constant(node, index).any()
        for index in given
    ):
        return None
    if len(given) < len(indices):
        raise Refusal("one initial state is given and the other is not")
    order = [0, 1, 2] if batch_first else [1, 0, 2]
    states = [builder.arrange(builder.value(node, index), order).tensor for index in given]
    whole = (None, None, 1)
    result = []
    for direction in range(cell.directions):
        piece = []
        for state in states:
            columns = zip(whole, (direction, direction + 1, 1), whole, strict=True)
            cut = builder.layer(tensor_layers.Slice, state, *map(list, columns), suffix="state")
            shape = [cut.shape[0], cell.units]
            if builder.open_batch:
                piece.append(builder.layer(L.Reshape, cut, shape[1:], suffix="state"))
            else:
                piece.append(builder.layer(tensor_layers.ReshapeAll, cut, shape, suffix="state"))
        result.append(piece)
    return result


def _run(
    builder: Builder, node: Node, cell: Cell, tensor: Any, states: list[list[Any]] | None
) -> list[Any]:
    """Return the sequence and the final states, each with the directions side by side.

    A final state that nothing reads may be missing, and the sequence None.
    """
    sequences = builder.wanted(node, 0)
    finals = any(builder.wanted(node, index) for index in (1, 2))
    only_last = not sequences and not builder.wanted(node, 2)
    runs = []
    for direction in range(cell.directions):
        backwards = cell.backwards or direction == 1
        source = _reversed(builder, tensor) if backwards else tensor
        result = _run_one_way(
            builder,
            cell,
            source,
            direction,
            states,
            return_sequences=sequences,
            return_state=finals and not only_last,
        )
        outputs = list(result) if isinstance(result, (list, tuple)) else [result]
        if only_last:
            outputs = [None, outputs[0]]
        elif backwards and sequences:
            outputs[0] = _reversed(builder, outputs[0])
        runs.append(outputs)
    if len(runs) == 1:
        return runs[0]
    return [
        None if pair[0] is None else builder.layer(L.Concatenate, list(pair), suffix="join")
        for pair in zip(*runs, strict=True)
    ]


def _reversed(builder: Builder, tensor: Any) -> Any:
    """Turn the steps round by Gather, which more of what comes after supports than a reversal."""
    steps = list(reversed(range(int(tensor.shape[1]))))
    return builder.layer(tensor_layers.Gather, tensor, steps, 1, suffix="reverse")


def _run_one_way(
    builder: Builder,
    cell: Cell,
    tensor: Any,
    direction: int,
    states: list[list[Any]] | None,
    **options: Any,
) -> Any:
    kind = L.LSTM if cell.kind == "LSTM" else L.GRU
    if cell.kind == "GRU":
        options["reset_after"] = cell.reset_after
    suffix = ("forward", "backward")[direction] if cell.directions == 2 else ""
    layer = builder.make(kind, cell.units, suffix=suffix, **options)
    result = layer(tensor) if states is None else layer(tensor, initial_state=states[direction])
    layer.set_weights([np.asarray(w, np.float32) for w in cell.weights[direction]])
    return result


def _sequence(builder: Builder, cell: Cell, tensor: Any, batch_first: bool) -> Value:
    """Make (steps, directions, batch, units), or (batch, steps, directions, units)."""
    value = builder.wrap(tensor, [0, 1, 2])
    batch, steps, _ = value.logical
    ways, units = _directions(cell)
    physical = (batch, steps, ways + units)
    logical = (batch, steps, ways, units) if batch_first else (steps, ways, batch, units)
    return Value(tensor, physical, logical)


def _final(builder: Builder, cell: Cell, tensor: Any, batch_first: bool) -> Value:
    """Make (directions, batch, units), or (batch, directions, units)."""
    batch = builder.wrap(tensor, [0, 1]).logical[0]
    ways, units = _directions(cell)
    logical = (batch, ways, units) if batch_first else (ways, batch, units)
    return Value(tensor, (batch, ways + units), logical)


def _directions(cell: Cell) -> tuple[tuple[Factor, ...], tuple[Factor, ...]]:
    ways = (Factor(cell.directions),) if cell.directions > 1 else ()
    return ways, (Factor(cell.units),) if cell.units > 1 else ()
