"""Operators other than convolutions and pools, imported from ONNX, equal onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from tests.support.onnx_graphs import check, ints, layer_kinds, model, node, weights

SHAPES = [(1, 3, 5, 4), (1, 7), (1, 4, 6), (2, 3, 4, 2), (5,)]

ACTIVATIONS: list[tuple[str, dict[str, Any]]] = [
    ("Relu", {}),
    ("LeakyRelu", {}),
    ("LeakyRelu", {"alpha": 0.3}),
    ("Elu", {}),
    ("Elu", {"alpha": 1.7}),
    ("Selu", {}),
    ("Selu", {"alpha": 2.0, "gamma": 1.5}),
    ("HardSigmoid", {}),
    ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
    ("HardSwish", {}),
    ("Sigmoid", {}),
    ("Tanh", {}),
    ("Gelu", {}),
    ("Gelu", {"approximate": "tanh"}),
    ("Abs", {}),
    ("Exp", {}),
    ("Neg", {}),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("op", "attributes"), ACTIVATIONS)
def test_functions_of_one_value_equal_onnxruntime(
    tmp_path: Path, op: str, attributes: dict[str, Any], shape: tuple[int, ...]
) -> None:
    check(
        model([node(op, "x", **attributes)], {"x": shape}, opset=20),
        tmp_path,
        transform=lambda x: 3 * x,
    )


@pytest.mark.parametrize("op", ["Sqrt", "Log"])
def test_functions_of_positive_values_equal_onnxruntime(tmp_path: Path, op: str) -> None:
    proto = model([node(op, "x")], {"x": (1, 3, 4)})
    check(proto, tmp_path, transform=lambda x: np.abs(x) + 0.1)


@pytest.mark.parametrize(
    ("low", "high", "kind"),
    [
        (0.0, 6.0, "ReLU"),
        (0.0, None, "ReLU"),
        (-1.0, 1.0, "Clip"),
        (None, 0.5, "Clip"),
        (0.3, None, "Clip"),
        (0.5, -0.5, "Clip"),
        (-3.4028234663852886e38, 0.0, "Clip"),
    ],
)
def test_clip_equals_onnxruntime(
    tmp_path: Path, low: float | None, high: float | None, kind: str
) -> None:
    bounds = {"low": low, "high": high}
    constants = {n: np.array(v, np.float32) for n, v in bounds.items() if v is not None}
    names = " ".join(name if name in constants else "-" for name in bounds)
    proto = model([node("Clip", f"x {names}")], {"x": (1, 3, 4, 5)}, constants)
    assert layer_kinds(check(proto, tmp_path)) == [kind]


@pytest.mark.parametrize("slope", [(3, 1, 1), (1,), (1, 1, 1), (3, 4, 5), (1, 3, 1, 1), (1, 1, 5)])
def test_prelu_equals_onnxruntime(tmp_path: Path, slope: tuple[int, ...]) -> None:
    nodes = [node("Relu", "x", "r"), node("Sub", "x r", "d"), node("PRelu", "d s")]
    check(model(nodes, {"x": (1, 3, 4, 5)}, {"s": weights(*slope)}), tmp_path)


@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax"])
@pytest.mark.parametrize(
    ("shape", "axis"), [((1, 10), -1), ((1, 3, 4, 5), 1), ((1, 3, 4, 5), 2), ((2, 6), 0)]
)
def test_softmax_equals_onnxruntime(
    tmp_path: Path, op: str, shape: tuple[int, ...], axis: int
) -> None:
    check(model([node(op, "x", axis=axis)], {"x": shape}), tmp_path)


BINARY = ["Add", "Sub", "Mul", "Div", "Max", "Min"]
OPERANDS = [
    ((1, 3, 4, 5), (1, 3, 4, 5)),
    ((1, 3, 4, 5), (1, 3, 1, 1)),
    ((1, 3, 1, 1), (1, 3, 4, 5)),
    ((1, 3, 4, 1), (1, 1, 1, 5)),
    ((1, 6), (1, 6)),
    ((1, 2, 3, 4), (1, 4)),
    ((3, 4, 5), (3, 4, 5)),
    ((4, 5), (1, 3, 4, 5)),
    ((3, 1), (3, 4)),
    ((5,), (2, 5)),
]


def _away_from_zero(x: np.ndarray) -> np.ndarray:
    return np.where(np.abs(x) < 0.2, 0.5, x)


@pytest.mark.parametrize("op", BINARY)
@pytest.mark.parametrize(("left", "right"), OPERANDS, ids=str)
def test_functions_of_two_values_broadcast_as_onnxruntime(
    tmp_path: Path, op: str, left: tuple[int, ...], right: tuple[int, ...]
) -> None:
    proto = model([node(op, "a b")], {"a": left, "b": right})
    check(proto, tmp_path, transform=_away_from_zero)


@pytest.mark.parametrize("op", BINARY)
@pytest.mark.parametrize(
    "constant", [(), (1,), (3, 1, 1), (5,), (1, 3, 4, 5), (4, 1), (1, 1, 1, 1)], ids=str
)
@pytest.mark.parametrize("first", [False, True], ids=["constant last", "constant first"])
def test_functions_of_a_value_and_a_constant_equal_onnxruntime(
    tmp_path: Path, op: str, constant: tuple[int, ...], first: bool
) -> None:
    nodes = [node("Tanh", "x", "t"), node(op, "c t" if first else "t c")]
    constants = {"c": np.abs(weights(*constant)) + 0.2}
    check(model(nodes, {"x": (1, 3, 4, 5)}, constants), tmp_path, transform=_away_from_zero)


def test_a_constant_can_widen_the_value(tmp_path: Path) -> None:
    nodes = [node("Mul", "x c")]
    check(model(nodes, {"x": (1, 3, 1, 5)}, {"c": weights(3, 4, 1)}), tmp_path)
    check(model(nodes, {"x": (1, 5)}, {"c": weights(2, 3, 5)}), tmp_path)
    check(model(nodes, {"x": (1, 5)}, {"c": weights(4, 5)}), tmp_path)


@pytest.mark.parametrize("exponent", [2.0, 0.5, 3.0, -1.0])
def test_pow_equals_onnxruntime(tmp_path: Path, exponent: float) -> None:
    proto = model([node("Pow", "x c")], {"x": (1, 4, 3)}, {"c": np.array(exponent, np.float32)})
    check(proto, tmp_path, transform=lambda x: np.abs(x) + 0.3)


def test_max_min_and_sum_take_any_number_of_operands(tmp_path: Path) -> None:
    inputs = {"a": (1, 3, 2, 2), "b": (1, 3, 1, 1)}
    for op in ("Max", "Min", "Sum"):
        check(model([node(op, "c a b a")], inputs, {"c": weights(2, 1)}), tmp_path)


@pytest.mark.parametrize("op", ["ReduceMean", "ReduceMax", "ReduceSum"])
@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((1, 3, 4, 5), (2, 3)),
        ((1, 3, 4, 5), (1,)),
        ((1, 3, 4, 5), (-1,)),
        ((1, 3, 4, 5), (1, 2, 3)),
        ((1, 3, 4, 5), ()),
        ((1, 6, 4), (1,)),
        ((2, 3), (0,)),
        ((1, 7), (0,)),
    ],
)
def test_reductions_equal_onnxruntime(
    tmp_path: Path, op: str, shape: tuple[int, ...], axes: tuple[int, ...], keepdims: int
) -> None:
    constants = {"a": ints(*axes)} if axes else {}
    inputs = "x a" if axes else "x"
    check(model([node(op, inputs, keepdims=keepdims)], {"x": shape}, constants, opset=18), tmp_path)


def test_reductions_of_older_opsets_have_axes_as_attribute(tmp_path: Path) -> None:
    proto = model([node("ReduceMean", "x", axes=[2, 3])], {"x": (1, 3, 4, 5)}, opset=13)
    assert layer_kinds(check(proto, tmp_path))[0] == "GlobalAveragePooling2D"


@pytest.mark.parametrize("bias", [None, (6,), (1, 6), (1,), ()], ids=str)
@pytest.mark.parametrize("transposed", [0, 1])
def test_gemm_equals_onnxruntime(
    tmp_path: Path, bias: tuple[int, ...] | None, transposed: int
) -> None:
    constants = {"w": weights(*((6, 5) if transposed else (5, 6)))}
    if bias is not None:
        constants["b"] = weights(*bias)
    attributes = {"transB": transposed, "alpha": 0.5, "beta": 2.0}
    names = " ".join(["x", *constants])
    proto = model([node("Gemm", names, **attributes)], {"x": (1, 5)}, constants)
    assert layer_kinds(check(proto, tmp_path)) == ["Dense"]


def test_gemm_of_computed_operands_equals_onnxruntime(tmp_path: Path) -> None:
    inputs = {"a": (5, 3), "b": (4, 5), "c": (3, 4)}
    proto = model([node("Gemm", "a b c", transA=1, transB=1, alpha=0.5)], inputs)
    check(proto, tmp_path)


@pytest.mark.parametrize("shape", [(1, 5), (1, 7, 5), (1, 2, 3, 5), (3, 5)])
def test_matmul_by_a_matrix_and_add_becomes_one_dense(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    nodes = [node("MatMul", "x w", "m"), node("Add", "b m")]
    proto = model(nodes, {"x": shape}, {"w": weights(5, 6), "b": weights(6)})
    assert layer_kinds(check(proto, tmp_path)) == ["Dense"]


def test_a_matrix_from_the_left_becomes_dense(tmp_path: Path) -> None:
    proto = model([node("MatMul", "w x")], {"x": (1, 5, 3)}, {"w": weights(4, 5)})
    assert "Dense" in layer_kinds(check(proto, tmp_path))


@pytest.mark.parametrize(
    ("left", "right"),
    [((1, 2, 3, 4), (1, 2, 4, 5)), ((2, 3), (3, 4)), ((1, 3, 4), (4, 2)), ((4,), (4,))],
)
def test_matmul_of_computed_operands_equals_onnxruntime(
    tmp_path: Path, left: tuple[int, ...], right: tuple[int, ...]
) -> None:
    check(model([node("MatMul", "a b")], {"a": left, "b": right}), tmp_path)


def test_matmul_by_a_constant_of_three_axes_equals_onnxruntime(tmp_path: Path) -> None:
    check(model([node("MatMul", "x w")], {"x": (1, 3, 4)}, {"w": weights(1, 4, 5)}), tmp_path)


def test_batch_normalization_equals_onnxruntime(tmp_path: Path) -> None:
    statistics = {"s": weights(4), "b": weights(4), "m": weights(4), "v": np.abs(weights(4)) + 0.1}
    for shape in ((1, 4, 5, 3), (1, 4, 6), (1, 4), (3, 4, 2, 2)):
        nodes = [node("BatchNormalization", "x s b m v", epsilon=1e-3)]
        kinds = layer_kinds(check(model(nodes, {"x": shape}, statistics), tmp_path))
        assert "BatchNormalization" in kinds


@pytest.mark.parametrize(
    ("shape", "axis"), [((1, 5, 6), -1), ((1, 5, 6), 1), ((1, 3, 4, 6), -1), ((2, 6), -1)]
)
def test_layer_normalization_equals_onnxruntime(
    tmp_path: Path, shape: tuple[int, ...], axis: int
) -> None:
    inner = shape[axis:]
    constants = {"s": weights(*inner), "b": weights(*inner, seed=3)}
    for names in ("x s b", "x s"):
        proto = model([node("LayerNormalization", names, axis=axis)], {"x": shape}, constants)
        check(proto, tmp_path)


@pytest.mark.parametrize("axis", [1, 2, -1])
def test_concat_equals_onnxruntime(tmp_path: Path, axis: int) -> None:
    nodes = [node("Relu", "x", "r"), node("Concat", "x r c", axis=axis)]
    check(model(nodes, {"x": (1, 3, 4, 5)}, {"c": weights(1, 3, 4, 5)}), tmp_path)


def test_concat_of_flat_values_equals_onnxruntime(tmp_path: Path) -> None:
    nodes = [node("Tanh", "x", "t"), node("Concat", "x t", axis=1)]
    check(model(nodes, {"x": (1, 6)}), tmp_path)
    check(model([node("Concat", "x x", axis=0)], {"x": (1, 6)}), tmp_path)


@pytest.mark.parametrize(("axis", "lengths"), [(1, (2, 4)), (2, (1, 3)), (1, ()), (-1, ())])
def test_split_equals_onnxruntime(tmp_path: Path, axis: int, lengths: tuple[int, ...]) -> None:
    constants = {"l": ints(*lengths)} if lengths else {}
    nodes = [node("Split", "x l" if lengths else "x", "p q", axis=axis), node("Relu", "q", "r")]
    shape = (1, 6, 4, 4)
    check(model(nodes, {"x": shape}, constants, outputs=["p", "r"], opset=13), tmp_path)
    if not lengths:
        nodes[0] = node("Split", "x", "p q", axis=axis, num_outputs=2)
        check(model(nodes, {"x": shape}, outputs=["p", "r"], opset=18), tmp_path)


@pytest.mark.parametrize(
    ("starts", "ends", "axes", "steps"),
    [
        ((1, 0), (3, 4), (2, 3), None),
        ((0,), (2,), (1,), None),
        ((-2,), (2**31 - 1,), (-1,), None),
        ((0, 1), (6, 5), (2, 1), (2, 3)),
        ((-1,), (-(2**31),), (2,), (-1,)),
        ((4,), (0,), (3,), (-2,)),
        ((0,), (1,), (0,), None),
    ],
)
def test_slice_equals_onnxruntime(
    tmp_path: Path, starts: Any, ends: Any, axes: Any, steps: Any
) -> None:
    constants = {"s": ints(*starts), "e": ints(*ends), "a": ints(*axes)}
    if steps:
        constants["t"] = ints(*steps)
    proto = model([node("Slice", " ".join(["x", *constants]))], {"x": (1, 5, 6, 5)}, constants)
    check(proto, tmp_path)


@pytest.mark.parametrize(
    ("indices", "axis"),
    [
        (np.array(-1), 1),
        (np.array(2), 2),
        (ints(0, 2, 1), 1),
        (ints(1, 2, 3), 3),
        (ints(0, 2), 2),
        (np.array([[0, 3], [1, 1]]), 3),
        (np.array(0), 0),
    ],
)
def test_gather_of_constant_indices_equals_onnxruntime(
    tmp_path: Path, indices: np.ndarray, axis: int
) -> None:
    proto = model([node("Gather", "x i", axis=axis)], {"x": (1, 3, 4, 5)}, {"i": indices})
    check(proto, tmp_path)


@pytest.mark.parametrize(
    ("mode", "amounts", "fill"),
    [
        ("constant", (0, 0, 1, 2, 0, 0, 0, 3), None),
        ("constant", (0, 1, 1, 2, 0, 2, 0, 3), None),
        ("constant", (0, 0, 1, 1, 0, 0, 1, 1), 1.5),
        ("constant", (0, 0, -1, 1, 0, 0, 0, -2), None),
        ("reflect", (0, 0, 1, 2, 0, 0, 3, 1), None),
        ("edge", (0, 0, 1, 2, 0, 0, 3, 1), None),
        ("edge", (0, 1, 0, 0, 0, 1, 0, 0), None),
    ],
)
def test_pad_equals_onnxruntime(
    tmp_path: Path, mode: str, amounts: tuple[int, ...], fill: float | None
) -> None:
    constants: dict[str, Any] = {"p": ints(*amounts)}
    if fill is not None:
        constants["f"] = np.array(fill, np.float32)
    names = " ".join(["x", *constants])
    check(model([node("Pad", names, mode=mode)], {"x": (1, 3, 5, 6)}, constants), tmp_path)


def test_pad_of_some_axes_equals_onnxruntime(tmp_path: Path) -> None:
    constants = {"p": ints(1, 2, 0, 1), "a": ints(-1, 2)}
    check(model([node("Pad", "x p - a")], {"x": (1, 3, 5, 6)}, constants, opset=18), tmp_path)


RESIZES = [
    ("nearest", "asymmetric", "floor", (2.0, 3.0), "UpSampling2D"),
    ("nearest", "half_pixel", "round_prefer_floor", (2.0, 2.0), "UpSampling2D"),
    ("nearest", "asymmetric", "floor", (0.5, 1.5), "Resize"),
    ("nearest", "align_corners", "round_prefer_ceil", (1.5, 2.0), "Gather"),
    ("nearest", "half_pixel", "ceil", (1.5, 0.5), "Gather"),
    ("linear", "half_pixel", None, (2.0, 3.0), "UpSampling2D"),
    ("linear", "pytorch_half_pixel", None, (0.5, 1.5), "Resize"),
    ("linear", "align_corners", None, (2.0, 2.0), "Resize"),
    ("linear", "asymmetric", None, (2.0, 0.5), "Resize"),
    ("cubic", "half_pixel", None, (2.0, 0.5), "Dense"),
    ("cubic", "align_corners", None, (1.5, 2.0), "Dense"),
]


@pytest.mark.parametrize(("mode", "coordinates", "rounding", "scales", "kind"), RESIZES)
def test_resize_equals_onnxruntime(
    tmp_path: Path,
    mode: str,
    coordinates: str,
    rounding: str | None,
    scales: tuple[float, float],
    kind: str,
) -> None:
    attributes = {"mode": mode, "coordinate_transformation_mode": coordinates}
    if rounding:
        attributes["nearest_mode"] = rounding
    constants = {"s": np.array([1, 1, *scales], np.float32)}
    proto = model([node("Resize", "x - s", **attributes)], {"x": (1, 3, 4, 6)}, constants)
    assert kind in layer_kinds(check(proto, tmp_path))


def test_resize_to_sizes_equals_onnxruntime(tmp_path: Path) -> None:
    constants = {"s": ints(1, 3, 8, 12)}
    for mode in ("nearest", "linear"):
        proto = model([node("Resize", "x - - s", mode=mode)], {"x": (1, 3, 4, 6)}, constants)
        check(proto, tmp_path)


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_depth_to_space_equals_onnxruntime(tmp_path: Path, mode: str) -> None:
    nodes = [node("DepthToSpace", "x", blocksize=2, mode=mode)]
    check(model(nodes, {"x": (1, 12, 3, 4)}), tmp_path)


def test_pixel_shuffle_after_a_convolution_costs_no_gather(tmp_path: Path) -> None:
    nodes = [node("Conv", "x w b", "c"), node("DepthToSpace", "c", blocksize=2, mode="CRD")]
    constants = {"w": weights(8, 3, 1, 1), "b": weights(8)}
    kinds = layer_kinds(check(model(nodes, {"x": (1, 3, 4, 4)}, constants), tmp_path))
    assert kinds == ["Conv2D", "DepthToSpace"]


def test_space_to_depth_equals_onnxruntime(tmp_path: Path) -> None:
    check(model([node("SpaceToDepth", "x", blocksize=2)], {"x": (1, 3, 4, 6)}), tmp_path)


def test_operators_without_effect_leave_no_layer(tmp_path: Path) -> None:
    nodes = [
        node("Identity", "x", "i"),
        node("Dropout", "i r", "d"),
        node("Cast", "d", "c", to=onnx.TensorProto.FLOAT),
        node("Relu", "c"),
    ]
    proto = model(nodes, {"x": (1, 3, 4, 5)}, {"r": np.array(0.5, np.float32)})
    assert layer_kinds(check(proto, tmp_path)) == ["ReLU"]
