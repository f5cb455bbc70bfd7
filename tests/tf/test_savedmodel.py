"""SavedModel folders that Keras wrote load through their metadata and checkpoint."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.load.savedmodel import load

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import tf_keras

    layers = tf_keras.layers
    block = tf_keras.Sequential([layers.Conv1D(4, 3), layers.BatchNormalization()], name="block")
    x = series = layers.Input((6, 5), name="series")
    x = layers.Flatten()(layers.TimeDistributed(layers.Dense(3))(block(x)))
    model = tf_keras.Model(series, layers.Dense(2)(x))
    folder = tmp_path_factory.mktemp("saved")
    model.save(folder / "model", save_format="tf")
    x = np.random.default_rng(0).normal(size=(3, 6, 5)).astype(np.float32)
    np.savez(folder / "answer.npz", x=x, y=np.asarray(model(x)))
    return folder


def test_nested_and_wrapped_layers_computes_the_same(saved: Path) -> None:
    answer = np.load(saved / "answer.npz")
    model = load(saved / "model")
    np.testing.assert_allclose(model.keras(answer["x"]), answer["y"], rtol=0, atol=1e-6)
    assert [port.name for port in model.inputs] == ["series"]


def test_benchmark_model_equals_tf_keras_own_load(benchmark_models: Path) -> None:
    import tf_keras

    path = benchmark_models / "kws_dscnn_savedmodel"
    model, reference = load(path), tf_keras.models.load_model(path, compile=False)
    x = np.random.default_rng(0).normal(size=(4, 49, 10, 1)).astype(np.float32)
    np.testing.assert_allclose(model.keras(x), reference(x), rtol=0, atol=1e-6)


def test_folder_without_keras_metadata_is_refused_with_a_way_out(tmp_path: Path) -> None:
    import tensorflow as tf

    module = tf.Module()
    module.weight = tf.Variable([1.0])
    tf.saved_model.save(module, str(tmp_path / "plain"))
    with pytest.raises(UnsupportedModelError, match="no Keras metadata") as caught:
        load(tmp_path / "plain")
    assert "tf2onnx" in caught.value.hint


@pytest.mark.parametrize(
    "victim",
    [
        "saved_model.pb",
        "keras_metadata.pb",
        "variables/variables.index",
        "variables/variables.data-00000-of-00001",
    ],
)
def test_truncated_parts_are_refused(saved: Path, tmp_path: Path, victim: str) -> None:
    copy = tmp_path / "model"
    shutil.copytree(saved / "model", copy)
    content = (copy / victim).read_bytes()
    (copy / victim).write_bytes(content[: len(content) // 2])
    with pytest.raises(UnsupportedModelError):
        load(copy)


def test_missing_parts_and_links_are_refused(saved: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(saved / "model", copy)
    (copy / "variables" / "variables.index").unlink()
    with pytest.raises(UnsupportedModelError, match=r"no variables/variables\.index"):
        load(copy)
    (copy / "variables" / "variables.index").symlink_to("/etc/hostname")
    with pytest.raises(UnsupportedModelError, match="symbolic link"):
        load(copy)
