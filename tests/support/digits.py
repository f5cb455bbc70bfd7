"""Small trained models for compression, and their data: scikit-learn's digits and a vibration.

`trained("digits_cnn")` gives the Keras file, the ONNX file and the data of one of `MODELS`. It is
trained once, in a process of its own, and kept in `build/trained-models`, in a folder whose name
holds a hash of all that it depends on. The data has its splits made, so that no seed puts a sample
into the test split that the model was trained on.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgec.pipeline.compress import splitting
from edgec.pipeline.compress.data_source import data_source_from, load_dataset
from edgec.pipeline.compress.dataset import Dataset
from edgec.pipeline.load.float_model import Port
from edgec.pipeline.sample_files import InputSpec
from tests.support import vibration

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "build" / "trained-models"
SPLITS = ("train", "validation", "test")

Split = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained float model's files; `accuracy` is the Keras model's on the test split."""

    name: str
    keras: Path
    onnx: Path
    data: Path
    accuracy: float
    seconds: float

    def dataset(self) -> Dataset:
        """Return the splits as a step sees them."""
        with np.load(self.data) as file:
            shape, classes = file["x_train"].shape[1:], int(file["y_train"].max()) + 1
        inputs = [InputSpec(_port("input", shape))]
        return load_dataset(data_source_from(str(self.data)), inputs, [_port("y", (classes,))])


def trained(name: str) -> Trained:
    """Return a model of `MODELS`, trained now or before."""
    folder = CACHE / f"{name}-{_key()}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other pytest workers wait for the first one's
        if not folder.is_dir():
            partial = CACHE / f".{name}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            _run("train", name, str(partial))
            _run("export", str(partial))
            partial.rename(folder)
    facts = json.loads((folder / "facts.json").read_text())
    return Trained(
        name, folder / "model.keras", folder / "model.onnx", folder / "data.npz", **facts
    )


def digits_splits() -> dict[str, Split]:
    """Return the 1,797 digits, (count, 8, 8, 1) in 0..1, 60 : 20 : 20 by class."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return _split((x / 16).astype(np.float32).reshape(-1, 8, 8, 1), y, "random", None)


def vibration_splits() -> dict[str, Split]:
    """Return windows of the vibration of bearings, (count, 512, 1), by recording."""
    x, y, group = vibration.vibration_arrays()
    return _split(x, y, "group", group)


def digits_cnn() -> Any:
    """Three convolutions and a dense layer, no normalisation: 31,000 weights; softmax."""
    from tf_keras import Input, Model, layers

    x = inputs = Input((8, 8, 1), name="input")
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(64, 3, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Dense(10, activation="softmax")(layers.Flatten()(x))
    return Model(inputs, x, name="digits_cnn")


def digits_dscnn() -> Any:
    """In the shape of DS-CNN: depthwise-separable blocks with normalisation; softmax."""
    from tf_keras import Input, Model, layers

    x = inputs = Input((8, 8, 1), name="input")
    x = _convolved(x, 32, 3)
    for channels in (32, 48, 64):
        x = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = _convolved(x, channels, 1)
    x = layers.GlobalAveragePooling2D()(x)
    return Model(inputs, layers.Dense(10, activation="softmax")(x), name="digits_dscnn")


def digits_resnet() -> Any:
    """In the shape of ResNet-8: three residual stages with normalisation; logits."""
    from tf_keras import Input, Model, layers

    x = inputs = Input((8, 8, 1), name="input")
    x = _convolved(x, 16, 3)
    for channels, stride in ((16, 1), (32, 2), (48, 2)):
        y = _convolved(x, channels, 3, stride)
        y = layers.Conv2D(channels, 3, padding="same", use_bias=False)(y)
        y = layers.BatchNormalization()(y)
        if stride > 1:
            x = layers.Conv2D(channels, 1, stride, padding="same")(x)
        x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.GlobalAveragePooling2D()(x)
    return Model(inputs, layers.Dense(10)(x), name="digits_resnet")


def vibration_conv1d() -> Any:
    """Four strided Conv1D layers with normalisation, one average, a dense layer; softmax."""
    from tf_keras import Input, Model, layers

    x = inputs = Input((vibration.WINDOW, 1), name="input")
    for channels, kernel, stride in ((16, 9, 2), (24, 9, 4), (32, 7, 2), (48, 5, 2)):
        x = layers.Conv1D(channels, kernel, stride, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.GlobalAveragePooling1D()(x)
    return Model(inputs, layers.Dense(4, activation="softmax")(x), name="vibration_conv1d")


@dataclass(frozen=True, slots=True)
class _Recipe:
    """How a model is made: its layers, its data, and how long it is trained."""

    model: Callable[[], Any]
    data: Callable[[], dict[str, Split]]
    epochs: int


MODELS: Mapping[str, _Recipe] = {
    "digits_cnn": _Recipe(digits_cnn, digits_splits, 15),
    "digits_dscnn": _Recipe(digits_dscnn, digits_splits, 20),
    "digits_resnet": _Recipe(digits_resnet, digits_splits, 15),
    "vibration_conv1d": _Recipe(vibration_conv1d, vibration_splits, 20),
}


def _convolved(x: Any, channels: int, kernel: int, stride: int = 1) -> Any:
    from tf_keras import layers

    x = layers.Conv2D(channels, kernel, stride, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


def _split(x: np.ndarray, y: np.ndarray, kind: Any, group: np.ndarray | None) -> dict[str, Split]:
    units = splitting.identical([(x,)])[0]
    samples = splitting.Samples("generated", (x,), y, units, group)
    chosen = splitting.divide(samples, kind, {"validation": 0.2, "test": 0.2}, y, seed=0)
    arrays = {"x": x, "y": y} | ({} if group is None else {"group": group})
    return {
        name: {key: a[indices] for key, a in arrays.items()} for name, indices in chosen.items()
    }


def _port(name: str, shape: tuple[int, ...]) -> Port:
    return Port(name, (1, *shape), tuple(range(len(shape) + 1)))


def _key() -> str:
    """Return a hash of the code and the packages that a trained model depends on."""
    digest = hashlib.sha256()
    for file in (__file__, vibration.__file__, splitting.__file__):
        digest.update(Path(file).read_bytes())
    for package in ("tensorflow", "tf_keras", "scikit-learn", "numpy", "tf2onnx"):
        digest.update(importlib.metadata.version(package).encode())
    return digest.hexdigest()[:12]


def _run(*arguments: str) -> None:
    """Run this module in a process of its own, which takes its memory with it."""
    environment = {
        **os.environ,
        "TF_USE_LEGACY_KERAS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "CUDA_VISIBLE_DEVICES": "-1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.digits", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stderr[-3000:]}")


def _train(name: str, folder: Path) -> None:
    import time

    import tensorflow as tf
    import tf_keras

    recipe, start = MODELS[name], time.monotonic()
    tf_keras.utils.set_random_seed(0)
    tf.config.experimental.enable_op_determinism()
    splits, model = recipe.data(), recipe.model()
    train, test = splits["train"], splits["test"]
    steps = -(-len(train["y"]) // 32) * recipe.epochs
    rate = tf_keras.optimizers.schedules.CosineDecay(3e-3, steps)
    logits = "softmax" not in str(model.layers[-1].get_config().get("activation"))
    model.compile(
        tf_keras.optimizers.legacy.Adam(rate),
        tf_keras.losses.SparseCategoricalCrossentropy(from_logits=logits),
    )
    model.fit(train["x"], train["y"], 32, recipe.epochs, verbose=0)
    scores = model.predict(test["x"], verbose=0)
    model.save(folder / "model.keras")
    arrays = {f"{key}_{split}": a for split in SPLITS for key, a in splits[split].items()}
    np.savez(folder / "data.npz", allow_pickle=False, **arrays)
    accuracy = float(np.mean(scores.argmax(axis=1) == test["y"]))
    facts = {"accuracy": accuracy, "seconds": round(time.monotonic() - start, 1)}
    (folder / "facts.json").write_text(json.dumps(facts))


def _export(folder: Path) -> None:
    """Write the ONNX file by tf2onnx; its input is called `input`, as the Keras model's."""
    import tensorflow as tf
    import tf2onnx
    import tf_keras

    model = tf_keras.models.load_model(folder / "model.keras", compile=False)
    spec = [tf.TensorSpec((1, *model.inputs[0].shape[1:]), tf.float32, name="input")]
    function = tf.function(lambda x: model(x))
    tf2onnx.convert.from_function(function, spec, opset=17, output_path=str(folder / "model.onnx"))


if __name__ == "__main__":
    if sys.argv[1] == "train":
        _train(sys.argv[2], Path(sys.argv[3]))
    else:
        _export(Path(sys.argv[2]))
