"""The importer refuses what it cannot do, and damaged or hostile files, with one clear error."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.load.onnx import load
from tests.support.onnx_graphs import imported, ints, model, node, weights

MODELS = Path(__file__).parent.parent / "models"


def _refusal(proto: onnx.ModelProto, folder: Path) -> str:
    with pytest.raises(UnsupportedModelError) as caught:
        imported(proto, folder)
    assert caught.value.exit_code == 7
    return caught.value.message


def test_every_unsupported_node_is_listed_at_once(tmp_path: Path) -> None:
    nodes = [
        node("Sinh", "x", "a", name="first"),
        node("Conv", "a w", "c", name="fine"),
        node("Relu", "c", "r", name="fine too"),
        node("MaxPool", "r", "p", name="second", kernel_shape=[2, 2], dilations=[2, 2]),
        node("Custom", "p", "q", name="third", domain="vendor"),
        node("Asin", "q", name=""),
    ]
    proto = model(nodes, {"x": (1, 3, 9, 9)}, {"w": weights(4, 3, 3, 3)})
    message = _refusal(proto, tmp_path)
    assert "4 nodes cannot be imported" in message
    assert message.splitlines()[1:] == [
        "  first: Sinh: operator not supported",
        "  second: MaxPool: dilated pooling ([2, 2]), wanted dilations of 1",
        "  third: Custom: operators of domain 'vendor' are not supported",
        "  Asin_5: Asin: operator not supported",
    ]


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (("n", 3, "height", "width"), "axis 2 (height), axis 3 (width) open"),
        ((1, "frames", 8), "axis 1 (frames) open"),
        ((4, ""), "axis 1 (unnamed) open"),
    ],
)
def test_open_axes_other_than_the_batch_are_named(
    tmp_path: Path, shape: tuple[Any, ...], words: str
) -> None:
    message = _refusal(model([node("Relu", "image", "y")], {"image": shape}), tmp_path)
    assert "input 'image'" in message
    assert words in message


def test_an_open_batch_axis_counts_as_one(tmp_path: Path) -> None:
    float_model = imported(model([node("Relu", "x")], {"x": ("n", 3, 4)}), tmp_path)
    assert float_model.inputs[0].shape == (1, 3, 4)
    assert float_model.keras.input_shape == (None, 3, 4)


@pytest.mark.parametrize(
    ("nodes", "constants", "reason"),
    [
        ([node("Conv", "x r")], {}, "input 1 ('r') is computed, wanted a constant"),
        ([node("Conv", "x w")], {"w": weights(4, 2, 3, 3)}, "in 1 groups for 3 channels"),
        ([node("Conv", "x w", group=2)], {"w": weights(4, 3, 3, 3)}, "in 2 groups for 3 channels"),
        ([node("Conv", "x w")], {"w": weights(4, 3, 9, 9)}, "a window of (9, 9)"),
        ([node("Conv", "x w", pads=[-1, 0, 0, 0])], {"w": weights(4, 3, 3, 3)}, "pads are"),
        ([node("Conv", "x w", strides=[0, 1])], {"w": weights(4, 3, 3, 3)}, "strides is [0, 1]"),
        ([node("Add", "x w")], {"w": weights(7)}, "do not broadcast"),
        ([node("Reshape", "x s")], {"s": ints(1, 7)}, "shape [1, 7] for an input of shape"),
        ([node("Reshape", "x s")], {"s": ints(-1, -1)}, "shape [-1, -1]"),
        ([node("Gather", "t x")], {"t": weights(9, 4)}, "computed indices of float32"),
        ([node("Gather", "x i", axis=1)], {"i": ints(3)}, "indices outside an axis of 3"),
        ([node("Slice", "x a a")], {"a": ints(2)}, "is empty"),
        ([node("Concat", "x r", axis=9)], {}, "axis is 9"),
        ([node("Transpose", "x", perm=[0, 0, 1, 2])], {}, "perm is [0, 0, 1, 2]"),
        ([node("Cast", "x", to=TensorProto.INT8)], {}, "a cast of a computed value"),
        ([node("Dropout", "x - t")], {"t": np.array(True)}, "training mode"),
        ([node("DepthToSpace", "x", blocksize=2)], {}, "blocksize is 2"),
        ([node("Pad", "x p", mode="mirror")], {"p": ints(*[0] * 8)}, "mode is 'mirror'"),
        ([node("Split", "x s", "y z", axis=1)], {"s": ints(1, 1)}, "lengths [1, 1]"),
    ],
)
def test_nodes_that_do_not_fit_are_refused_with_the_reason(
    tmp_path: Path, nodes: list[onnx.NodeProto], constants: dict[str, Any], reason: str
) -> None:
    nodes = [node("Relu", "x", "r"), *nodes]
    assert reason in _refusal(model(nodes, {"x": (1, 3, 5, 5)}, constants), tmp_path)


def test_other_input_types_are_refused(tmp_path: Path) -> None:
    proto = model([node("Relu", "x")], {"x": (1, 3)})
    proto.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8
    assert "input 'x' is uint8, wanted float32, int32 or int64" in _refusal(proto, tmp_path)


@pytest.mark.parametrize(
    ("nodes", "constants", "reason"),
    [
        ([node("Add", "ids ids")], {}, "computes with integers that are not constant"),
        ([node("Gather", "t ids")], {"t": weights(9, 4, 2)}, "of shape [9, 4, 2], wanted axis 0"),
        ([node("Gather", "t ids", axis=1)], {"t": weights(9, 4)}, "axis 1 of float32 of shape"),
        ([node("Gather", "t ids")], {"t": ints(4, 5)}, "wanted axis 0 of a float32 matrix"),
        ([node("Cast", "ids", to=TensorProto.BOOL)], {}, "a cast of integers to type 9"),
    ],
)
def test_integer_inputs_are_indices_or_become_float(
    tmp_path: Path, nodes: list[onnx.NodeProto], constants: dict[str, Any], reason: str
) -> None:
    proto = model(nodes, {"ids": (1, 3)}, constants)
    proto.graph.input[0].type.tensor_type.elem_type = TensorProto.INT64
    assert reason in _refusal(proto, tmp_path)


def test_old_opsets_are_refused(tmp_path: Path) -> None:
    proto = model([node("Relu", "x")], {"x": (1, 3)}, opset=11)
    assert "opset 11, wanted 13 to" in _refusal(proto, tmp_path)


def test_values_that_nothing_makes_are_refused(tmp_path: Path) -> None:
    message = _refusal(model([node("Relu", "ghost")], {"x": (1, 3)}), tmp_path)
    assert "reads 'ghost', which nothing before it makes" in message


@pytest.mark.parametrize("size", [1 << 20, 1 << 40])
def test_constants_that_would_not_fit_memory_are_refused(tmp_path: Path, size: int) -> None:
    nodes = [node("ConstantOfShape", "s", "c"), node("Add", "x c")]
    proto = model(nodes, {"x": (1, 3)}, {"s": ints(1 << 20, size)})
    assert "elements, wanted at most" in _refusal(proto, tmp_path)


def _external(folder: Path, **entries: Any) -> onnx.ModelProto:
    """A model whose weight of 12 float32 lies in another file."""
    proto = model([node("MatMul", "x w")], {"x": (1, 3)}, {"w": weights(3, 4)})
    tensor = proto.graph.initializer[0]
    (folder / "weights.bin").write_bytes(tensor.raw_data + b"tail")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=str(value))
    return proto


def test_weights_beside_the_model_are_read(tmp_path: Path) -> None:
    float_model = imported(_external(tmp_path, location="weights.bin", length=48), tmp_path)
    np.testing.assert_array_equal(float_model.keras.get_weights()[0], weights(3, 4))


@pytest.mark.parametrize(
    "entries",
    [
        {"location": "../weights.bin"},
        {"location": "/etc/passwd"},
        {"location": "sub/../weights.bin"},
        {"location": "link.bin"},
        {"location": "linked/weights.bin"},
        {"location": "missing.bin"},
        {"location": "pipe"},
        {"location": "."},
        {"location": ""},
        {"location": "weights.bin", "offset": 8},
        {"location": "weights.bin", "offset": -4},
        {"location": "weights.bin", "length": 52},
        {"location": "weights.bin", "length": 4},
        {"location": "weights.bin", "offset": "zero"},
    ],
    ids=str,
)
def test_external_weights_are_confined_to_the_folder(
    tmp_path: Path, entries: dict[str, Any]
) -> None:
    import os

    proto = _external(tmp_path, **entries)
    (tmp_path / "link.bin").symlink_to(tmp_path / "weights.bin")
    (tmp_path / "linked").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(tmp_path / "pipe")
    assert "external data of 'w'" in _refusal(proto, tmp_path)


def test_weights_that_do_not_fill_their_shape_are_refused(tmp_path: Path) -> None:
    proto = model([node("MatMul", "x w")], {"x": (1, 3)}, {"w": weights(3, 4)})
    proto.graph.initializer[0].raw_data = b"\0" * 40
    assert "constant 'w' of shape [3, 4] is damaged" in _refusal(proto, tmp_path)
    proto.graph.initializer[0].dims[0] = 1 << 40
    assert "elements" in _refusal(proto, tmp_path)


@pytest.mark.parametrize("content", [b"", b"\x08", b"not a model", b"\0" * 100, b"\xff" * 64])
def test_files_that_are_no_onnx_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(UnsupportedModelError):
        load(path)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.onnx", tmp_path):
        with pytest.raises(UnsupportedModelError, match="cannot be read"):
            load(path)


def test_graphs_inside_nodes_are_refused(tmp_path: Path) -> None:
    branch = helper.make_graph(
        [node("Relu", "x", "z")],
        "branch",
        [],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 3])],
    )
    nodes = [node("If", "c", then_branch=branch, else_branch=branch)]
    message = _refusal(model(nodes, {"x": (1, 3)}, {"c": np.array(True)}), tmp_path)
    assert "If_0: If: operator not supported" in message


@pytest.mark.parametrize("name", ["torch_residual", "torch_separable", "torch_sequence"])
def test_truncated_models_are_refused(tmp_path: Path, name: str) -> None:
    content = (MODELS / f"{name}.onnx").read_bytes()
    path = tmp_path / "model.onnx"
    for part in (1, 4, 7, 9, 11):
        path.write_bytes(content[: len(content) * part // 12])
        with pytest.raises(UnsupportedModelError):
            load(path)


@pytest.mark.parametrize("name", ["torch_residual", "torch_separable", "torch_sequence"])
def test_damaged_models_load_or_are_refused(tmp_path: Path, name: str) -> None:
    content = (MODELS / f"{name}.onnx").read_bytes()
    rng = random.Random(name)
    path = tmp_path / "model.onnx"
    # Most bytes are weights; the damage must hit what describes the graph.
    places = [at for at in range(len(content)) if 32 <= content[at] < 127] or [0]
    for _ in range(12):
        damaged = bytearray(content)
        for _ in range(rng.randint(1, 3)):
            damaged[rng.choice(places)] = rng.randrange(256)
        path.write_bytes(damaged)
        try:
            load(path)
        except UnsupportedModelError as error:
            assert error.message


@pytest.mark.parametrize(
    ("nodes", "constants"),
    [
        ([node("Expand", "one s", "c")], {"s": ints(1 << 20, 1 << 20)}),
        ([node("Tile", "one s", "c")], {"s": ints(1 << 40)}),
        ([node("Mul", "tall wide", "c")], {}),
        ([node("MatMul", "tall wide", "c")], {}),
        (
            [node("Range", "a b d", "c")],
            {"a": np.float32(0), "b": np.float32(np.inf), "d": np.float32(1)},
        ),
        ([node("Split", "x", "c d", axis=1, num_outputs=1 << 31)], {}),
        ([node("Split", "x", "c d", axis=1, num_outputs=1)], {}),
        ([node("Pad", "x p", "c", mode="edge")], {"p": ints(0, 0, 0, 1 << 40)}),
        ([node("Reshape", "x s", "c")], {"s": ints(*[1] * 60, 3)}),
    ],
)
def test_nodes_that_blow_up_are_refused_at_once(
    tmp_path: Path, nodes: list[onnx.NodeProto], constants: dict[str, Any]
) -> None:
    constants = {
        "one": np.ones(1, np.float32),
        "tall": np.ones((1 << 17, 1), np.float32),
        "wide": np.ones((1, 1 << 17), np.float32),
        **constants,
    }
    proto = model([*nodes, node("Add", "x c")], {"x": (1, 3)}, constants, opset=18)
    assert "cannot be imported" in _refusal(proto, tmp_path)
