"""Whole models, exported by PyTorch and tf2onnx, imported from ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgec.pipeline.load.float_model import FloatModel
from edgec.pipeline.load.onnx import load
from tests.support.onnx_graphs import example_inputs, layer_kinds, run_keras, run_onnx

MODELS = Path(__file__).parent.parent / "models"
BENCHMARKS = {
    "ad": "ad_fc_autoencoder.h5",
    "ic": "ic_resnet8.h5",
    "kws": "kws_dscnn_savedmodel",
    "vww": "vww_mobilenetv1.h5",
}


def _assert_equal(path: Path, float_model: FloatModel) -> None:
    arrays = example_inputs(float_model)
    for mine, its in zip(
        run_keras(float_model, arrays), run_onnx(path.read_bytes(), arrays), strict=True
    ):
        np.testing.assert_allclose(mine, its, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("torch_residual", {"Conv2D", "BatchNormalization", "Dense", "Add"}),
        ("torch_separable", {"DepthwiseConv2D", "HardSwish", "Multiply", "Conv2DTranspose"}),
        ("torch_sequence", {"GRU", "LSTM", "LayerNormalization", "Dense"}),
    ],
)
def test_torch_models_equal_onnxruntime(name: str, kinds: set[str]) -> None:
    path = MODELS / f"{name}.onnx"
    float_model = load(path)
    _assert_equal(path, float_model)
    assert kinds <= set(layer_kinds(float_model))
    assert "Permute" not in layer_kinds(float_model)


def test_a_model_of_open_batch_takes_any_batch() -> None:
    path = MODELS / "torch_residual.onnx"
    float_model = load(path)
    samples = np.random.default_rng(0).standard_normal((5, 3, 24, 24)).astype(np.float32)
    (wanted,) = run_onnx(path.read_bytes(), [samples])
    (got,) = run_keras(float_model, [samples])
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-4)


def test_imported_models_train_save_and_load(tmp_path: Path) -> None:
    import tf_keras

    keras = load(MODELS / "torch_separable.onnx").keras
    inputs = np.random.default_rng(0).random((4, 20, 20, 1), np.float32)
    before = keras(inputs).numpy()
    keras.save(tmp_path / "model.keras")
    again = tf_keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(inputs).numpy(), before, rtol=1e-5, atol=1e-5)
    keras.compile("adam", "mse")
    keras.fit(inputs, before * 0.5, epochs=1, verbose=0)
    assert not np.allclose(keras(inputs).numpy(), before)


@pytest.fixture(scope="session")
def from_tf2onnx(
    benchmark_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """The benchmark models as tf2onnx writes them."""
    import tensorflow as tf
    import tf2onnx
    import tf_keras

    folder = tmp_path_factory.mktemp("tf2onnx")
    paths = {}
    for name, file in BENCHMARKS.items():
        keras = tf_keras.models.load_model(benchmark_models / file, compile=False)
        paths[name] = folder / f"{name}.onnx"
        spec = tf.TensorSpec([None, *keras.input_shape[1:]], tf.float32, name="input")
        tf2onnx.convert.from_keras(keras, [spec], output_path=str(paths[name]))
    return paths


@pytest.mark.parametrize("name", BENCHMARKS)
def test_benchmark_models_from_tf2onnx_equal_onnxruntime(
    from_tf2onnx: dict[str, Path], name: str
) -> None:
    path = from_tf2onnx[name]
    float_model = load(path)
    _assert_equal(path, float_model)
    # The transposes that tf2onnx writes round the convolutions are gone.
    assert not {"Permute", "Reshape", "ConstantOperand"} & set(layer_kinds(float_model))


def test_resnet_from_onnx_quantizes_aware_of_training_to_int8_alone(
    from_tf2onnx: dict[str, Path],
) -> None:
    import tensorflow as tf
    import tensorflow_model_optimization as tfmot
    from ai_edge_litert.interpreter import Interpreter

    keras = load(from_tf2onnx["ic"]).keras
    quantized = tfmot.quantization.keras.quantize_model(keras)
    samples = np.random.default_rng(0).random((8, 32, 32, 3), np.float32)
    quantized.compile("adam", "mse")
    quantized.fit(samples, np.asarray(keras(samples)), verbose=0)
    converter = tf.lite.TFLiteConverter.from_keras_model(quantized)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    interpreter = Interpreter(model_content=converter.convert())
    interpreter.allocate_tensors()
    kinds: dict[str, Any] = {
        item["name"]: item["dtype"] for item in interpreter.get_tensor_details()
    }
    assert set(kinds.values()) <= {np.int8, np.int32}
