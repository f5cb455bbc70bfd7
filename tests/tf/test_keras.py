"""Keras files of both generations load into tf_keras layers that compute what Keras computed."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.load.float_model import FloatModel
from edgec.pipeline.load.keras import load

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")


def randomise(model: Any) -> None:
    generator = np.random.default_rng(0)
    for layer in model.layers:
        layer.set_weights(
            [
                np.abs(generator.normal(size=w.shape)) * 0.3 + 0.1
                if w.dtype.kind == "f"
                else w  # Keras 3 keeps seeds of random layers among the weights
                for w in layer.get_weights()
            ]
        )


def conv_net(keras: Any) -> Any:
    layers = keras.layers
    image = layers.Input((8, 8, 3), name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(image)
    x = layers.Conv2D(4, 3, padding="same", use_bias=False)(x)
    x = layers.ReLU(max_value=6.0)(layers.BatchNormalization()(x))
    y = layers.SeparableConv2D(4, 3, padding="same", activation="swish")(x)
    x = x + y
    x = layers.DepthwiseConv2D(3, strides=2, padding="same")(x)
    x = layers.PReLU(shared_axes=[1, 2])(layers.Dropout(0.2)(x))
    x = layers.Conv2DTranspose(4, 2, strides=2)(x)
    block = keras.Sequential([layers.Input((8, 8, 4)), layers.Conv2D(4, 1), layers.LeakyReLU()])
    x = layers.GlobalAveragePooling2D()(block(x))
    classes = layers.Dense(3, activation="softmax", name="classes")(x)
    return keras.Model(image, [classes, layers.Dense(2, name="box")(x)])


def sequence_net(keras: Any) -> Any:
    layers = keras.layers
    x = series = layers.Input((6, 5), name="series")
    x = layers.Normalization(mean=[0.1] * 5, variance=[2.0] * 5)(x)
    x = layers.Conv1D(4, 3, padding="causal", activation="relu")(x)
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x)
    x = layers.GRU(4, return_sequences=True)(layers.TimeDistributed(layers.Dense(4))(x))
    x = layers.LayerNormalization()(layers.SimpleRNN(3, return_sequences=True)(x))
    x = layers.MultiHeadAttention(2, 3)(x, x)
    return keras.Sequential([keras.Model(series, layers.Flatten()(x)), layers.Dense(2)])


def small_net(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential([layers.Input((4,)), layers.Dense(3, activation="relu", name="first")])


BUILDERS: dict[str, Callable[[Any], Any]] = {"conv": conv_net, "sequence": sequence_net}


@pytest.fixture(scope="module", params=["keras", "tf_keras"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Write every model with one generation of Keras; give the folder and what it computes."""
    keras = pytest.importorskip(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    expected = {}
    for name, builder in BUILDERS.items():
        model = builder(keras)
        randomise(model)
        model.save(folder / f"{name}.keras")
        model.save(folder / f"{name}.h5")
        x = np.random.default_rng(1).normal(size=(3, *model.input_shape[1:])).astype(np.float32)
        answers = model(x, training=False)
        answers = answers if isinstance(answers, (list, tuple)) else [answers]
        expected[name] = x, [np.asarray(answer) for answer in answers]
    return folder, expected


def computed(model: FloatModel, x: np.ndarray) -> list[np.ndarray]:
    answers = model.keras(x, training=False)
    answers = answers if isinstance(answers, (list, tuple)) else [answers]
    return [np.asarray(answer) for answer in answers]


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("name", list(BUILDERS))
def test_written_models_compute_the_same(written: Any, name: str, suffix: str) -> None:
    folder, expected = written
    model = load(folder / f"{name}{suffix}")
    x, answers = expected[name]
    for got, wanted in zip(computed(model, x), answers, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5)


def test_ports_keep_the_sources_names_and_order(written: Any) -> None:
    model = load(written[0] / "conv.keras")
    assert [port.name for port in model.outputs] == ["classes", "box"]
    assert (model.inputs[0].name, model.inputs[0].shape) == ("image", (1, 8, 8, 3))
    assert model.inputs[0].to_keras == (0, 1, 2, 3)


def test_nested_models_are_flattened(written: Any) -> None:
    import tf_keras

    model = load(written[0] / "conv.keras").keras
    assert not [layer for layer in model.layers if isinstance(layer, tf_keras.Model)]


@pytest.mark.parametrize("name", ["ad_fc_autoencoder", "ic_resnet8", "vww_mobilenetv1"])
def test_benchmark_models_equal_tf_keras_own_load(benchmark_models: Path, name: str) -> None:
    import tf_keras

    path = benchmark_models / f"{name}.h5"
    model, reference = load(path), tf_keras.models.load_model(path, compile=False)
    x = np.random.default_rng(0).uniform(0, 1, (4, *model.inputs[0].shape[1:])).astype(np.float32)
    np.testing.assert_allclose(computed(model, x)[0], reference(x), rtol=0, atol=1e-6)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import tf_keras

    folder = tmp_path_factory.mktemp("small")
    model = small_net(tf_keras)
    model.save(folder / "m.keras")
    model.save(folder / "m.h5")
    model.save_weights(folder / "weights.h5")
    return folder


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
def test_truncated_files_are_refused(small: Path, tmp_path: Path, suffix: str, part: float) -> None:
    content = (small / f"m{suffix}").read_bytes()
    cut = tmp_path / f"cut{suffix}"
    cut.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(UnsupportedModelError, match="cut"):
        load(cut)


def test_weights_without_a_model_are_refused(small: Path) -> None:
    with pytest.raises(UnsupportedModelError, match="no whole model") as caught:
        load(small / "weights.h5")
    assert "model.save" in caught.value.hint


def rewritten(small: Path, out: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Copy the small `.keras` with its config changed."""
    with zipfile.ZipFile(small / "m.keras") as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "config.json":
                config = json.loads(data)
                change(config)
                data = json.dumps(config).encode()
            target.writestr(name, data)
    return out


def test_open_dimensions_other_than_the_batch_are_refused(small: Path, tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        config["config"]["layers"][0]["config"]["batch_input_shape"] = [None, None]

    with pytest.raises(UnsupportedModelError, match=r"dimension 1 of \[None, None\]"):
        load(rewritten(small, tmp_path / "open.keras", change))


def test_weights_of_another_shape_name_the_layer(small: Path, tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        config["config"]["layers"][1]["config"]["units"] = 7

    with pytest.raises(UnsupportedModelError, match="layer 'first': weight 0 has shape"):
        load(rewritten(small, tmp_path / "units.keras", change))


def test_unknown_arguments_are_refused_unless_they_mean_nothing(
    small: Path, tmp_path: Path
) -> None:
    def harmless(config: dict[str, Any]) -> None:
        config["config"]["layers"][1]["config"]["quantization_config"] = None

    def meaningful(config: dict[str, Any]) -> None:
        config["config"]["layers"][1]["config"]["lora_rank"] = 4

    load(rewritten(small, tmp_path / "harmless.keras", harmless))
    with pytest.raises(UnsupportedModelError, match="argument lora_rank=4"):
        load(rewritten(small, tmp_path / "meaningful.keras", meaningful))


def test_lambda_layers_never_run(tmp_path: Path) -> None:
    import tf_keras

    layers = tf_keras.layers
    model = tf_keras.Sequential([layers.Input((4,)), layers.Lambda(lambda x: x * 2, name="evil")])
    for suffix in (".keras", ".h5"):
        model.save(tmp_path / f"m{suffix}")
        with pytest.raises(UnsupportedModelError, match="layer 'evil': class 'Lambda'"):
            load(tmp_path / f"m{suffix}")


def test_zip_bombs_and_missing_members_are_refused(small: Path, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.keras"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b" " * (60 << 20))
    with pytest.raises(UnsupportedModelError, match="compressed more than"):
        load(bomb)
    with zipfile.ZipFile(bomb, "w") as archive:
        archive.writestr("../config.json", b"{}")
    with pytest.raises(UnsupportedModelError, match=r"no config\.json"):
        load(bomb)


@pytest.mark.parametrize("kind", ["soft", "external", "outside", "claims"])
def test_h5_that_points_elsewhere_or_lies_is_refused(
    small: Path, tmp_path: Path, kind: str
) -> None:
    import h5py

    path = tmp_path / "m.h5"
    path.write_bytes((small / "m.h5").read_bytes())
    secret = tmp_path / "secret.bin"
    secret.write_bytes(bytes(64))
    with h5py.File(path, "r+") as file:
        group = file["model_weights/first"]
        if kind == "soft":
            group["extra"] = h5py.SoftLink("/model_weights")
        elif kind == "external":
            group["extra"] = h5py.ExternalLink("/etc/other.h5", "/")
        elif kind == "outside":
            group.create_dataset("extra", (16,), "f4", external=[(str(secret), 0, 64)])
        else:
            group.create_dataset("extra", (1 << 28,), "f4", chunks=(1 << 20,))
    with pytest.raises(UnsupportedModelError, match="extra"):
        load(path)


def test_every_listed_activation_and_layer_exists_in_tf_keras() -> None:
    import tf_keras

    from edgec.pipeline.load.keras_config import ACTIVATIONS, LAYERS

    for name in sorted(ACTIVATIONS):
        assert np.isfinite(tf_keras.layers.Activation(name)(np.ones((1, 2), np.float32))).all()
    assert [name for name in LAYERS if not hasattr(tf_keras.layers, name)] == []
