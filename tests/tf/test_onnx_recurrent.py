"""LSTM and GRU, imported from ONNX, equal onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from tests.support.onnx_graphs import check, layer_kinds, model, node, weights

GATES = {"LSTM": 4, "GRU": 3}
STEPS, FEATURES, UNITS = 6, 3, 4


def _constants(op: str, ways: int) -> dict[str, Any]:
    rows = GATES[op] * UNITS
    return {
        "w": weights(ways, rows, FEATURES, seed=1),
        "r": weights(ways, rows, UNITS, seed=2),
        "b": weights(ways, 2 * rows, seed=3),
    }


def _exported(op: str, direction: str, **attributes: Any) -> list[onnx.NodeProto]:
    """A batch-first layer as PyTorch writes it: transposed before, the directions merged after."""
    return [
        node("Transpose", "x", "t", perm=[1, 0, 2]),
        node(op, "t w r b", "s", hidden_size=UNITS, direction=direction, **attributes),
        node("Transpose", "s", "d", perm=[0, 2, 1, 3]),
        node("Reshape", "d shape", "m"),
        node("Transpose", "m", perm=[1, 0, 2]),
    ]


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize(
    ("op", "attributes"),
    [("LSTM", {}), ("GRU", {"linear_before_reset": 1}), ("GRU", {"linear_before_reset": 0})],
)
def test_sequences_equal_onnxruntime(
    tmp_path: Path, op: str, attributes: dict[str, Any], direction: str
) -> None:
    ways = 2 if direction == "bidirectional" else 1
    constants = _constants(op, ways) | {"shape": np.array([0, 0, -1], np.int64)}
    nodes = _exported(op, direction, **attributes)
    float_model = check(model(nodes, {"x": (1, STEPS, FEATURES)}, constants), tmp_path)
    kinds = set(layer_kinds(float_model))
    assert not {"Permute", "Reshape"} & kinds
    assert ("Gather" in kinds) == (direction != "forward")


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("op", ["LSTM", "GRU"])
@pytest.mark.parametrize("outputs", ["- h", "s h"])
def test_final_states_equal_onnxruntime(
    tmp_path: Path, op: str, direction: str, outputs: str
) -> None:
    ways = 2 if direction == "bidirectional" else 1
    inner = node(op, "t w r b", outputs, hidden_size=UNITS, direction=direction)
    nodes = [node("Transpose", "x", "t", perm=[1, 0, 2]), inner]
    used = [name for name in outputs.split() if name != "-"]
    proto = model(nodes, {"x": (1, STEPS, FEATURES)}, _constants(op, ways), outputs=used)
    check(proto, tmp_path)


def test_the_cell_state_of_an_lstm_equals_onnxruntime(tmp_path: Path) -> None:
    nodes = [node("LSTM", "x w r b", "s h c", hidden_size=UNITS)]
    proto = model(
        nodes, {"x": (STEPS, 1, FEATURES)}, _constants("LSTM", 1), outputs=["s", "h", "c"]
    )
    check(proto, tmp_path)


@pytest.mark.parametrize("direction", ["forward", "bidirectional"])
@pytest.mark.parametrize("op", ["LSTM", "GRU"])
def test_initial_states_equal_onnxruntime(tmp_path: Path, op: str, direction: str) -> None:
    ways = 2 if direction == "bidirectional" else 1
    states = "h c" if op == "LSTM" else "h"
    constants = _constants(op, ways) | {"c": weights(ways, 1, UNITS, seed=5)}
    if op == "GRU":
        del constants["c"]
    nodes = [
        node("Transpose", "x", "t", perm=[1, 0, 2]),
        node("Tanh", "g", "h"),
        node(op, f"t w r b - {states}", "s", hidden_size=UNITS, direction=direction),
        node("Squeeze", "s a") if ways == 1 else node("Identity", "s"),
    ]
    if ways == 1:
        constants["a"] = np.array([1], np.int64)
    inputs = {"x": (1, STEPS, FEATURES), "g": (ways, 1, UNITS)}
    check(model(nodes, inputs, constants), tmp_path)


def test_several_samples_and_sequence_first_inputs_equal_onnxruntime(tmp_path: Path) -> None:
    nodes = [node("GRU", "x w r b", hidden_size=UNITS)]
    proto = model(nodes, {"x": (STEPS, 3, FEATURES)}, _constants("GRU", 1))
    check(proto, tmp_path)


def test_zero_states_computed_from_shapes_are_folded(tmp_path: Path) -> None:
    nodes = [
        node("Shape", "x", "dims"),
        node("Gather", "dims zero", "batch"),
        node("Unsqueeze", "batch zeros", "b1"),
        node("Concat", "one b1 units", "size", axis=0),
        node("ConstantOfShape", "size", "h"),
        node("Transpose", "x", "t", perm=[1, 0, 2]),
        node("GRU", "t w r b - h", "s last", hidden_size=UNITS),
        node("Squeeze", "last zeros"),
    ]
    constants = _constants("GRU", 1) | {
        "zero": np.array(0, np.int64),
        "zeros": np.array([0], np.int64),
        "one": np.array([1], np.int64),
        "units": np.array([UNITS], np.int64),
    }
    proto = model(nodes, {"x": ("batch", STEPS, FEATURES)}, constants)
    assert layer_kinds(check(proto, tmp_path)) == ["GRU"]
