"""The importer keeps convolutions channels-last and moves data only where it must."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.onnx_graphs import check, ints, layer_kinds, model, node, weights


def test_transposes_round_a_channels_last_input_cancel(tmp_path: Path) -> None:
    nodes = [
        node("Transpose", "x", "t", perm=[0, 3, 1, 2]),
        node("Conv", "t w", "c"),
        node("Transpose", "c", perm=[0, 2, 3, 1]),
    ]
    float_model = check(model(nodes, {"x": (1, 6, 5, 3)}, {"w": weights(4, 3, 3, 3)}), tmp_path)
    assert layer_kinds(float_model) == ["Conv2D"]
    assert float_model.inputs[0].to_keras == (0, 1, 2, 3)


def test_a_reshape_of_a_one_channel_input_costs_nothing(tmp_path: Path) -> None:
    nodes = [node("Reshape", "x s", "t"), node("Conv", "t w")]
    constants = {"s": ints(-1, 1, 6, 5), "w": weights(4, 1, 3, 3)}
    float_model = check(model(nodes, {"x": ("n", 6, 5, 1)}, constants), tmp_path)
    assert layer_kinds(float_model) == ["Conv2D"]


@pytest.mark.parametrize("before", ["Relu", "Sigmoid"])
def test_a_channels_first_input_becomes_channels_last(tmp_path: Path, before: str) -> None:
    nodes = [node(before, "x", "r"), node("Conv", "r w")]
    float_model = check(model(nodes, {"x": (1, 3, 6, 5)}, {"w": weights(4, 3, 3, 3)}), tmp_path)
    assert len(layer_kinds(float_model)) == 2
    assert float_model.inputs[0].keras_shape == (1, 6, 5, 3)
    assert float_model.keras.input_shape == (None, 6, 5, 3)


def test_weights_follow_the_order_of_a_flattened_image(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x w", "c"),
        node("Flatten", "c", "f"),
        node("Relu", "f", "r"),
        node("Gemm", "r g"),
    ]
    constants = {"w": weights(4, 3, 2, 2), "g": weights(4 * 5 * 4, 7)}
    float_model = check(model(nodes, {"x": (1, 3, 6, 5)}, constants), tmp_path)
    assert layer_kinds(float_model) == ["Conv2D", "ReLU", "Flatten", "Dense"]


def test_a_flattened_image_that_is_an_output_has_the_order_of_onnx(tmp_path: Path) -> None:
    nodes = [node("Conv", "x w", "c"), node("Flatten", "c")]
    check(model(nodes, {"x": (1, 3, 6, 5)}, {"w": weights(4, 3, 2, 2)}), tmp_path)


def test_an_image_output_stays_channels_last(tmp_path: Path) -> None:
    nodes = [node("Conv", "x w")]
    float_model = check(model(nodes, {"x": (1, 3, 6, 5)}, {"w": weights(4, 3, 2, 2)}), tmp_path)
    assert float_model.outputs[0].shape == (1, 4, 5, 4)
    assert float_model.outputs[0].to_keras == (0, 2, 3, 1)


def test_squeeze_and_excitation_needs_no_permutation(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x w", "c"),
        node("GlobalAveragePool", "c", "p"),
        node("Flatten", "p", "f"),
        node("Gemm", "f g", "s"),
        node("Sigmoid", "s", "a"),
        node("Reshape", "a shape", "b"),
        node("Mul", "c b"),
    ]
    constants = {"w": weights(4, 3, 1, 1), "g": weights(4, 4), "shape": ints(1, 4, 1, 1)}
    kinds = layer_kinds(check(model(nodes, {"x": (1, 3, 6, 5)}, constants), tmp_path))
    assert "Permute" not in kinds


def test_a_channel_shuffle_equals_onnxruntime(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x w", "c"),
        node("Reshape", "c split", "s"),
        node("Transpose", "s", "t", perm=[0, 2, 1, 3, 4]),
        node("Reshape", "t merge", "m"),
        node("Conv", "m v", group=6),
    ]
    constants = {
        "w": weights(6, 3, 1, 1),
        "v": weights(6, 1, 3, 3),
        "split": ints(1, 2, 3, 6, 5),
        "merge": ints(1, 6, 6, 5),
    }
    kinds = layer_kinds(check(model(nodes, {"x": (1, 3, 6, 5)}, constants), tmp_path))
    assert kinds.count("Permute") == 1


@pytest.mark.parametrize("shape", [(1, 9, 8), (1, 72), (1, 2, 36), (1, 8, 9), (1, 3, 4, 6)])
def test_reshapes_that_cross_axes_equal_onnxruntime(tmp_path: Path, shape: tuple[int, ...]) -> None:
    nodes = [node("Transpose", "x", "t", perm=[0, 2, 1]), node("Reshape", "t s")]
    check(model(nodes, {"x": (1, 6, 12)}, {"s": ints(*shape)}), tmp_path)


def test_attention_equals_onnxruntime(tmp_path: Path) -> None:
    nodes = []
    for name in "qkv":
        nodes += [
            node("MatMul", f"x w{name}", f"{name}1"),
            node("Reshape", f"{name}1 heads", f"{name}2"),
            node("Transpose", f"{name}2", f"{name}3", perm=[0, 2, 1, 3]),
        ]
    nodes += [
        node("Transpose", "k3", "k4", perm=[0, 1, 3, 2]),
        node("MatMul", "q3 k4", "s"),
        node("Div", "s root", "d"),
        node("Softmax", "d", "p"),
        node("MatMul", "p v3", "o"),
        node("Transpose", "o", "o1", perm=[0, 2, 1, 3]),
        node("Reshape", "o1 flat", "o2"),
        node("Add", "x o2"),
    ]
    constants = {f"w{name}": weights(8, 8, seed=i) for i, name in enumerate("qkv")}
    constants |= {
        "heads": ints(0, 0, 2, 4),
        "flat": ints(0, 0, -1),
        "root": np.array(2.0, np.float32),
    }
    check(model(nodes, {"x": ("batch", 5, 8)}, constants), tmp_path)


def test_squeezed_outputs_without_batch_axis_fix_the_batch(tmp_path: Path) -> None:
    nodes = [node("Conv", "x w", "c"), node("Squeeze", "c")]
    float_model = check(model(nodes, {"x": (1, 3, 2, 2)}, {"w": weights(4, 3, 2, 2)}), tmp_path)
    assert float_model.keras.input_shape == (1, 2, 2, 3)


def test_shape_arithmetic_is_folded(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x w", "c"),
        node("Shape", "c", "dims"),
        node("Slice", "dims zero one", "batch"),
        node("Concat", "batch rest", "target", axis=0),
        node("Reshape", "c target", "r"),
        node("Gemm", "r g"),
    ]
    constants = {
        "w": weights(4, 3, 2, 2),
        "g": weights(80, 3),
        "zero": ints(0),
        "one": ints(1),
        "rest": ints(-1),
    }
    float_model = check(model(nodes, {"x": ("batch", 3, 6, 5)}, constants), tmp_path)
    assert layer_kinds(float_model) == ["Conv2D", "Flatten", "Dense"]


def test_affines_fold_into_the_layer_before(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x w", "c"),
        node("Mul", "c s", "m"),
        node("Add", "m b", "a"),
        node("Relu", "a"),
    ]
    constants = {"w": weights(4, 3, 2, 2), "s": weights(4, 1, 1), "b": weights(1, 4, 1, 1)}
    kinds = layer_kinds(check(model(nodes, {"x": (1, 3, 6, 5)}, constants), tmp_path))
    assert kinds == ["Conv2D", "ReLU"]


def test_normalisation_of_the_input_becomes_one_depthwise_layer(tmp_path: Path) -> None:
    nodes = [node("Sub", "x m", "c"), node("Div", "c s", "d"), node("Conv", "d w")]
    constants = {
        "m": np.array(0.5, np.float32),
        "s": np.abs(weights(3, 1, 1)) + 0.1,
        "w": weights(4, 3, 2, 2),
    }
    kinds = layer_kinds(check(model(nodes, {"x": (1, 3, 6, 5)}, constants), tmp_path))
    assert kinds == ["DepthwiseConv2D", "Conv2D"]


@pytest.mark.parametrize(
    ("nodes", "kind"),
    [
        ([node("Sigmoid", "x", "s"), node("Mul", "x s")], "Activation"),
        ([node("HardSigmoid", "x", "s", alpha=1 / 6), node("Mul", "s x")], "HardSwish"),
        (
            [
                node("Add", "x three", "a"),
                node("Clip", "a zero six", "c"),
                node("Mul", "x c", "m"),
                node("Div", "m six"),
            ],
            "HardSwish",
        ),
        (
            [node("Add", "x three", "a"), node("Clip", "a zero six", "c"), node("Div", "c six")],
            "HardSigmoid",
        ),
        (
            [
                node("Div", "x root", "d"),
                node("Erf", "d", "e"),
                node("Add", "e one", "a"),
                node("Mul", "x a", "m"),
                node("Mul", "m half"),
            ],
            "Gelu",
        ),
        (
            [
                node("Pow", "x three", "p"),
                node("Mul", "p small", "q"),
                node("Add", "x q", "s"),
                node("Mul", "s slope", "t"),
                node("Tanh", "t", "h"),
                node("Add", "h one", "a"),
                node("Mul", "x half", "m"),
                node("Mul", "m a"),
            ],
            "Gelu",
        ),
    ],
)
def test_activations_written_as_several_nodes_become_one_layer(
    tmp_path: Path, nodes: list[object], kind: str
) -> None:
    numbers = {
        "zero": 0.0,
        "half": 0.5,
        "one": 1.0,
        "three": 3.0,
        "six": 6.0,
        "root": np.sqrt(2),
        "small": 0.044715,
        "slope": np.sqrt(2 / np.pi),
    }
    constants = {name: np.array(value, np.float32) for name, value in numbers.items()}
    proto = model(nodes, {"x": (1, 3, 4, 5)}, constants)  # type: ignore[arg-type]
    assert layer_kinds(check(proto, tmp_path, transform=lambda x: 3 * x)) == [kind]


def test_layer_names_are_unique_and_made_of_plain_characters(tmp_path: Path) -> None:
    spellings = ("/Block.1/re lu*/", "/block.1/re_lu/", "Block_1 re.lü")
    nodes = [node("Relu", "x", f"r{i}", name=name) for i, name in enumerate(spellings)]
    nodes.append(node("Sum", "r0 r1 r2", name=""))
    float_model = check(model(nodes, {"x": (1, 3, 4, 5)}), tmp_path)
    names = [layer.name for layer in float_model.keras.layers]
    assert len(set(names)) == len(names)
    assert {"block_1_re_lu", "block_1_re_lu_1", "block_1_re_l"} <= set(names)
    assert all(name.replace("_", "").isalnum() and name.isascii() for name in names)


def test_an_input_that_is_also_an_output_is_kept(tmp_path: Path) -> None:
    nodes = [node("Relu", "x"), node("Identity", "x", "z")]
    check(model(nodes, {"x": (1, 3)}, outputs=["y", "z"]), tmp_path)


def _number(value: float) -> np.ndarray:
    return np.array(value, np.float32)


@pytest.mark.parametrize("square", ["Pow", "Mul"])
def test_layer_normalisation_written_as_several_nodes_becomes_one_layer(
    tmp_path: Path, square: str
) -> None:
    nodes = [
        node("ReduceMean", "x", "m", axes=[-1]),
        node("Sub", "x m", "d"),
        node("Pow", "d two", "q") if square == "Pow" else node("Mul", "d d", "q"),
        node("ReduceMean", "q", "v", axes=[-1]),
        node("Add", "v e", "a"),
        node("Sqrt", "a", "r"),
        node("Div", "d r", "n"),
        node("Mul", "n s", "k"),
        node("Add", "k b"),
    ]
    constants = {"two": _number(2), "e": _number(1e-5), "s": weights(6), "b": weights(6)}
    kinds = layer_kinds(check(model(nodes, {"x": (1, 4, 6)}, constants, opset=13), tmp_path))
    assert kinds == ["LayerNormalization"]


def test_layer_normalisation_by_batch_statistics_keeps_the_batch_open(tmp_path: Path) -> None:
    nodes = [
        node("Reshape", "x shape", "r"),
        node("ReduceMean", "r", "k", axes=[0, 2, 3]),
        node("Sub", "r k", "d"),
        node("ReduceSumSquare", "d", "q", axes=[0, 2, 3], keepdims=0),
        node("Squeeze", "k axes", "m"),
        node("Div", "q count", "v"),
        node("BatchNormalization", "r s b m v"),
    ]
    constants = {
        "shape": ints(1, -1, 8, 1),
        "axes": ints(0, 2, 3),
        "count": _number(8),
        "s": np.ones(1, np.float32),
        "b": np.zeros(1, np.float32),
    }
    float_model = check(model(nodes, {"x": (1, 8)}, constants, opset=13), tmp_path)
    assert float_model.keras.input_shape == (None, 8)


def test_normalisation_before_the_transpose_of_an_input_becomes_one_depthwise_layer(
    tmp_path: Path,
) -> None:
    nodes = [
        node("Mul", "x s", "m"),
        node("Add", "m o", "a"),
        node("Transpose", "a", "t", perm=[0, 3, 1, 2]),
        node("Conv", "t w"),
    ]
    constants = {"s": _number(0.5), "o": weights(3), "w": weights(4, 3, 2, 2)}
    kinds = layer_kinds(check(model(nodes, {"x": (1, 6, 5, 3)}, constants), tmp_path))
    assert kinds == ["DepthwiseConv2D", "Conv2D"]


def test_affines_fold_through_a_squeeze(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x w", "c"),
        node("Squeeze", "c axis", "q"),
        node("Mul", "q s", "m"),
        node("Add", "m o"),
    ]
    constants = {
        "w": weights(4, 3, 1, 3),
        "axis": ints(2),
        "s": weights(1, 4, 1),
        "o": weights(4, 1),
    }
    kinds = layer_kinds(check(model(nodes, {"x": (1, 3, 1, 9)}, constants), tmp_path))
    assert kinds[0] == "Conv2D"
    assert "ConstantOperand" not in kinds


@pytest.mark.parametrize("order", [("Min", "Max"), ("Max", "Min")])
def test_min_and_max_with_numbers_become_one_clip(tmp_path: Path, order: tuple[str, str]) -> None:
    numbers = {"Min": "high", "Max": "low"}
    nodes = [
        node(order[0], f"x {numbers[order[0]]}", "m"),
        node(order[1], f"{numbers[order[1]]} m"),
    ]
    for low, high in ((-0.3, 0.4), (0.4, -0.3)):
        constants = {"low": _number(low), "high": _number(high)}
        kinds = layer_kinds(check(model(nodes, {"x": (1, 3, 4, 5)}, constants), tmp_path))
        assert set(kinds) == {"Clip"}
        assert len(kinds) == (1 if low < high else 2)
