"""Float models become int16x8 firmware, byte-exact on the simulated M4."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgec.pipeline.driver import build
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import DType
from edgec.pipeline.load import tflite
from edgec.pipeline.lower.tflite import lower

DIGITS = Path(__file__).resolve().parents[2] / "examples" / "digits"
SOURCES = {
    "ic": "ic_resnet8.h5",
    "kws": "kws_dscnn_savedmodel",
    "vww": "vww_mobilenetv1.h5",
    "ad": "ad_fc_autoencoder.h5",
}
EXACT = [("host C", True), ("cortex-m4", True)]


@pytest.mark.parametrize("key", SOURCES)
def test_benchmark_models_become_exact_int16_firmware(
    key: str, benchmark_models: Path, tmp_path: Path
) -> None:
    model = benchmark_models / SOURCES[key]
    done = build(model, quantize="int16x8", samples=2, out=tmp_path / "out")
    assert [(v.device, v.exact) for v in done.result.verified] == EXACT
    graph = tflite.load(tmp_path / "out" / "model.tflite")
    kinds = {graph[n].dtype for n in (*graph.inputs, *graph.outputs)}
    assert kinds == {DType.INT16}
    assert all(graph[n].dtype is DType.INT16 for op in graph.ops for n in op.outputs)


def test_the_example_keeps_its_accuracy_in_int16(tmp_path: Path) -> None:
    done = build(
        DIGITS / "digits.onnx",
        quantize="int16x8",
        calibration=DIGITS / "calibration.npz",
        test=DIGITS / "test.npz",
        samples=2,
        out=tmp_path / "out",
    )
    assert [(v.device, v.exact) for v in done.result.verified] == EXACT
    accuracy = done.result.accuracy
    assert accuracy is not None
    assert accuracy.reference > 0.98 and accuracy.device == accuracy.reference


def test_a_one_dimensional_network_becomes_exact_int16_firmware(tmp_path: Path) -> None:
    import tf_keras as keras

    layers = keras.layers
    signal = keras.Input((64, 3))
    x = layers.Conv1D(8, 5, padding="same", activation="relu")(signal)
    x = layers.MaxPool1D(2)(x)
    x = layers.Conv1D(16, 3)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("tanh")(x)
    x = layers.GlobalAveragePooling1D()(x)
    x = layers.Dense(8, activation="sigmoid")(x)
    keras.Model(signal, layers.Dense(4, activation="softmax")(x)).save(tmp_path / "net.h5")
    done = build(tmp_path / "net.h5", quantize="int16x8", samples=3, out=tmp_path / "out")
    assert [(v.device, v.exact) for v in done.result.verified] == EXACT


def test_conversion_to_int16_is_reproducible(tmp_path: Path) -> None:
    made = [tmp_path / name for name in ("a.tflite", "b.tflite")]
    for out in made:
        lower(DIGITS / "digits.onnx", out, quantize="int16x8")
    assert made[0].read_bytes() == made[1].read_bytes()


def test_a_layer_without_int16_is_named(tmp_path: Path) -> None:
    import tf_keras as keras

    keras.utils.set_random_seed(1)
    image = keras.Input((6, 6, 2))
    slope = keras.layers.PReLU(shared_axes=[1, 2])(keras.layers.Conv2D(3, 1)(image))
    model = keras.Model(image, slope)
    model.layers[-1].set_weights([np.full((1, 1, 3), 0.2)])
    model.save(tmp_path / "net.h5")
    with pytest.raises(UnsupportedModelError, match="PRELU"):
        lower(tmp_path / "net.h5", tmp_path / "out.tflite", quantize="int16x8")
