from __future__ import annotations

import contextlib
import copy
import random
from typing import Any

import pytest

from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.load.keras_calls import Architecture, TensorRef
from edgec.pipeline.load.keras_config import parse


def tensor(name: str) -> dict[str, Any]:
    history = {"shape": [None, 4], "dtype": "float32", "keras_history": [name, 0, 0]}
    return {"class_name": "__keras_tensor__", "config": history}


def layer(class_name: str, name: str, reads: list[str], **config: Any) -> dict[str, Any]:
    node = {"args": [tensor(r) for r in reads[:1]] or [], "kwargs": {"mask": None}}
    if len(reads) > 1:
        node["args"] = [[tensor(r) for r in reads]]
    return {
        "module": "keras.layers",
        "class_name": class_name,
        "config": {"name": name, "trainable": True, **config},
        "registered_name": None,
        "inbound_nodes": [node] if reads else [],
    }


def model() -> dict[str, Any]:
    return {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "registered_name": "Functional",
        "config": {
            "name": "m",
            "layers": [
                layer("InputLayer", "in", [], batch_shape=[None, 4], dtype="float32"),
                layer("Dense", "dense", ["in"], units=4, activation="relu"),
                layer("Add", "sum", ["in", "dense"]),
            ],
            "input_layers": ["in", 0, 0],
            "output_layers": [["sum", 0, 0]],
        },
    }


def with_layer(**changes: Any) -> dict[str, Any]:
    config = model()
    config["config"]["layers"][1].update(changes)
    return config


def test_functional_model_becomes_layers_and_references() -> None:
    parsed = parse(model(), keras_major=3)
    assert [spec.class_name for spec in parsed.layers] == ["InputLayer", "Dense", "Add"]
    assert parsed.layers[2].calls == ((TensorRef("in", 0, 0), TensorRef("dense", 0, 0)),)
    assert parsed.inputs == (TensorRef("in", 0, 0),)
    assert parsed.outputs == (TensorRef("sum", 0, 0),)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"class_name": "Lambda"}, "class 'Lambda' is not supported"),
        ({"class_name": "TFSMLayer"}, "class 'TFSMLayer' is not supported"),
        ({"class_name": "TorchModuleWrapper"}, "class 'TorchModuleWrapper' is not supported"),
        ({"module": "os"}, "from module 'os'"),
        ({"module": "keras_evil.layers"}, "from module 'keras_evil.layers'"),
        ({"registered_name": "mine>Dense"}, "custom class registered as 'mine>Dense'"),
        ({"class_name": "SubclassedModel"}, "not supported"),
    ],
)
def test_code_carrying_layers_are_refused_by_name(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(UnsupportedModelError, match="layer 'dense'") as caught:
        parse(with_layer(**changes), keras_major=3)
    assert says in caught.value.message


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("function", "lambda x: x"),
        ("function_type", "lambda"),
        ("custom_objects", {"f": "os.system"}),
        ("activation", {"module": "builtins", "class_name": "function", "config": "system"}),
        ("activation", "my_activation"),
        ("activation", {"class_name": "ReLU", "module": "keras.layers", "config": {}}),
        ("units", {"module": "os", "class_name": "system", "config": {}}),
    ],
)
def test_arguments_that_are_no_plain_data_are_refused(argument: str, value: Any) -> None:
    config = model()
    config["config"]["layers"][1]["config"][argument] = value
    with pytest.raises(UnsupportedModelError, match="layer 'dense'"):
        parse(config, keras_major=3)


def test_subclassed_model_is_refused_with_a_way_out() -> None:
    with pytest.raises(UnsupportedModelError, match="model class 'MyModel'") as caught:
        parse({"class_name": "MyModel", "config": {}}, keras_major=2)
    assert "ONNX" in caught.value.hint


def test_training_only_arguments_and_layers_do_not_matter() -> None:
    config = with_layer(class_name="RandomFlip")
    config["config"]["layers"][1]["config"] = {"name": "dense", "mode": "horizontal"}
    assert parse(config, keras_major=3).layers[1].class_name == "Dropout"
    config = model()
    config["config"]["layers"][1]["config"]["kernel_initializer"] = {
        "module": "evil",
        "class_name": "evil",
    }
    assert "kernel_initializer" not in parse(config, keras_major=3).layers[1].config


def test_calls_that_change_the_inference_are_refused() -> None:
    config = model()
    config["config"]["layers"][1]["inbound_nodes"][0]["kwargs"] = {"training": True}
    with pytest.raises(UnsupportedModelError, match="is called with training=True"):
        parse(config, keras_major=3)


def test_models_nested_too_deep_are_refused() -> None:
    config = model()
    for _ in range(20):
        inner = copy.deepcopy(config)
        config = with_layer(**inner)
        config["config"]["layers"][1]["inbound_nodes"] = [{"args": [tensor("in")], "kwargs": {}}]
    with pytest.raises(UnsupportedModelError, match="nested more than"):
        parse(config, keras_major=3)


def test_two_layers_of_one_name_are_refused() -> None:
    config = model()
    config["config"]["layers"][2]["config"]["name"] = "dense"
    with pytest.raises(UnsupportedModelError, match="two layers are named 'dense'"):
        parse(config, keras_major=3)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items: list[Any] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return [path] + [p for key, item in items for p in paths(item, (*path, key))]


def test_mutated_configs_are_parsed_or_refused_and_nothing_else() -> None:
    junk = [
        None,
        0,
        -1,
        1.5,
        True,
        "",
        "x",
        [],
        {},
        [[]],
        {"class_name": [1]},
        10**30,
        ["in", 0, 0],
    ]
    chooser = random.Random(0)
    places = [path for path in paths(model()) if path]
    for _ in range(1500):
        config = model()
        *parents, last = chooser.choice(places)
        holder: Any = config
        for key in parents:
            holder = holder[key]
        holder[last] = copy.deepcopy(chooser.choice(junk))
        with contextlib.suppress(UnsupportedModelError):
            assert isinstance(parse(config, keras_major=3), Architecture)
