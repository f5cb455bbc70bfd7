"""Quantisation-aware training: exact rewrites, all-integer results, what it keeps, and its gain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgec.pipeline.compress.dataset import Split
from edgec.pipeline.compress.kept_weights import int8_weights
from edgec.pipeline.compress.rewriting import rewrite
from edgec.pipeline.compress.steps.qat import QuantisationAwareTraining
from edgec.pipeline.compress.training import predict
from edgec.pipeline.driver import build
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.load.float_model import FloatModel
from edgec.pipeline.load.source import detect
from edgec.pipeline.lower.conversion import Conversion, to_tflite
from edgec.pipeline.lower.converted_file import float_ops
from edgec.pipeline.lower.converter import load_float_model
from tests.support.compress_work import (
    accuracy_metric,
    digits_data,
    interpreted,
    random_data,
    work_on,
)
from tests.tf.test_main_job import SOURCES, export_onnx

FEW_STEPS = QuantisationAwareTraining(epochs=1, learning_rate=1e-6, batch_size=8, samples=32)


def functional(shape: tuple[int, ...], body: Callable[[Any], Any]) -> Callable[[], Any]:
    def made() -> Any:
        import tf_keras

        tf_keras.utils.set_random_seed(1)
        inputs = tf_keras.Input(shape)
        return with_statistics(tf_keras.Model(inputs, body(inputs)))

    return made


def with_statistics(model: Any) -> Any:
    """Give batch normalisation the statistics that training would."""
    rng = np.random.default_rng(0)
    for layer in model.submodules:
        if type(layer).__name__ == "BatchNormalization":
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.weights])
    return model


def residual(x: Any) -> Any:
    from tf_keras import layers

    x = layers.Conv2D(6, 3, padding="same", use_bias=False)(x)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    y = layers.BatchNormalization()(layers.DepthwiseConv2D(3, padding="same")(x))
    x = layers.Activation("relu")(layers.BatchNormalization()(layers.Add()([x, y])))
    x = layers.BatchNormalization()(layers.Dense(8)(layers.Flatten()(x)))
    return layers.Dense(4, activation="softmax")(layers.Activation("tanh")(x))


def gated(x: Any) -> Any:
    from tf_keras import layers

    x = layers.Conv2D(6, 3, padding="same", activation="swish")(x)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(6, 1, activation="sigmoid")(gate)
    return layers.Dense(3)(layers.Flatten()(layers.Multiply()([x, gate])))


def joined(x: Any) -> Any:
    from tf_keras import layers

    a = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    b = layers.MaxPooling2D(1)(layers.SeparableConv2D(4, 3, padding="same")(x))
    x = layers.Concatenate()([a, b, layers.AveragePooling2D(3, 1, "same")(x)])
    return layers.Dense(3, activation="elu")(layers.Flatten()(x))


def conv1d(x: Any) -> Any:
    from tf_keras import layers

    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv1D(8, 3, 2)(x)))
    x = layers.PReLU(shared_axes=[1])(layers.DepthwiseConv1D(3)(x))
    return layers.Dense(4, activation="softmax")(layers.GlobalAveragePooling1D()(x))


def rescaled(x: Any) -> Any:
    from tf_keras import layers

    from edgec.pipeline.load.onnx.keras_layers import Clip, ConstantOperand, Gelu, HardSwish

    x = Gelu(approximate=True)(layers.BatchNormalization()(layers.Rescaling(0.5, 0.1)(x)))
    x = HardSwish()(layers.Conv2DTranspose(3, 3, 2, padding="same")(x))
    x = ConstantOperand("add", [3], first=False)(Clip(-0.1, 0.7)(x))
    return layers.Dense(3)(layers.Flatten()(x))


def nested(x: Any) -> Any:
    import tf_keras
    from tf_keras import layers

    inner_input = tf_keras.Input(x.shape[1:])
    inner = tf_keras.Model(
        inner_input, layers.BatchNormalization()(layers.Conv2D(2, 3, padding="same")(inner_input))
    )
    return layers.Dense(3)(layers.Flatten()(inner(x)))


def recurrent(x: Any) -> Any:
    from tf_keras import layers

    return layers.Dense(3)(layers.SimpleRNN(5)(x))


MODELS = {
    "residual": functional((8, 8, 2), residual),
    "gated": functional((8, 8, 2), gated),
    "joined": functional((8, 8, 2), joined),
    "conv1d": functional((32, 2), conv1d),
    "rescaled": functional((6, 6, 2), rescaled),
    "nested": functional((6, 6, 2), nested),
    "recurrent": functional((4, 3), recurrent),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_rewritten_model_computes_the_same(name: str) -> None:
    model = MODELS[name]()
    inputs = random_data(model).train.inputs[0]
    got, want = (np.asarray(m(inputs)) for m in (rewrite(model).model, model))
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_every_layer_becomes_integer_and_stays_right(name: str, tmp_path: Path) -> None:
    model = MODELS[name]()
    work = work_on(model, random_data(model), tmp_path)
    FEW_STEPS.run(work)
    assert work.tflite is not None
    assert float_ops(work.tflite) == ()
    want = predict(model, work.data.validation)
    error = np.abs(interpreted(work.tflite, work.data.validation) - want).mean()
    assert error < 0.04 * np.abs(want).max()


def test_rewrites_and_own_layers_are_listed(tmp_path: Path) -> None:
    model = MODELS["conv1d"]()
    work = work_on(model, random_data(model), tmp_path)
    FEW_STEPS.run(work)
    notes = "\n".join(work.notes)
    assert "batch normalisation folded into the layer before: batch_normalization" in notes
    assert "Conv1D, which TF-MOT does not take, observed: conv1d" in notes


def test_an_op_left_in_float_is_refused(tmp_path: Path) -> None:
    model = functional((8,), thresholded)()
    with pytest.raises(UnsupportedModelError, match=r"leaves .*CAST.* in float32"):
        FEW_STEPS.run(work_on(model, random_data(model), tmp_path))


def thresholded(x: Any) -> Any:
    from tf_keras import layers

    return layers.Dense(3)(layers.ThresholdedReLU(0.1)(layers.Dense(4)(x)))


def test_ranges_of_the_result_are_the_trained_ones(tmp_path: Path) -> None:
    model = MODELS["residual"]()
    work = work_on(model, random_data(model), tmp_path)
    QuantisationAwareTraining(epochs=0, samples=4).run(work)
    low, high = (float(f(work.data.calibration(4, 0)[0])) for f in (np.min, np.max))
    from ai_edge_litert.interpreter import Interpreter

    assert work.tflite is not None
    details = Interpreter(model_content=work.tflite).get_input_details()[0]
    assert details["quantization"][0] == pytest.approx((high - low) / 255, rel=1e-5)


def digits_model() -> Any:
    import tf_keras
    from tf_keras import layers

    tf_keras.utils.set_random_seed(0)
    x = inputs = tf_keras.Input((8, 8, 1))
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    x = layers.Conv2D(12, 3, strides=2, activation="relu")(x)
    x = layers.Dense(10, activation="softmax")(layers.Flatten()(x))
    model = tf_keras.Model(inputs, x)
    data = digits_data().train
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(data.inputs[0], data.targets, epochs=8, verbose=0)
    return model


def kernels(model: Any) -> list[Any]:
    return [layer.kernel for layer in model.layers if hasattr(layer, "kernel")]


@pytest.mark.parametrize("batch_normalised", [False, True])
def test_pruned_and_clustered_weights_stay_so(batch_normalised: bool, tmp_path: Path) -> None:
    model = MODELS["residual"]() if batch_normalised else digits_model()
    data = random_data(model) if batch_normalised else digits_data()
    shared = np.array([-0.3, -0.1, 0, 0, 0.15, 0.4], np.float32)
    rng = np.random.default_rng(0)
    masks = []
    for kernel in kernels(model):
        kernel.assign(rng.choice(shared, kernel.shape))
        masks.append(kernel.numpy() == 0)
    work = work_on(model, data, tmp_path)
    work.traits |= {"clusters": 5, "sparsity": {"pattern": "unstructured", "fraction": 0.33}}
    QuantisationAwareTraining(epochs=1, learning_rate=1e-3, samples=40).run(work)
    assert work.tflite is not None
    for kernel, mask in zip(kernels(model), masks, strict=True):
        rows = kernel.numpy().reshape(-1, kernel.shape[-1]).T
        codes = next(
            c.reshape(rows.shape)
            for c, _ in int8_weights(work.tflite)
            if c.size == rows.size and np.all((c.reshape(rows.shape) == 0)[rows == 0])
        )
        assert np.all(codes[mask.reshape(rows.T.shape).T] == 0)
        assert max(len(np.unique(row)) for row in codes) <= 5
    assert any("int8 weights are zero" in note for note in work.notes)
    assert any("most int8 values" in note for note in work.notes)


def test_training_goes_on_after_an_interruption_as_if_there_was_none(tmp_path: Path) -> None:
    class Interrupted(Exception):
        pass

    def stop(progress: Any) -> None:
        if progress.stage == "train" and progress.done == 1:
            raise Interrupted

    step = QuantisationAwareTraining(epochs=2, samples=40, distil=True)
    model = digits_model()
    whole = work_on(model, digits_data(), tmp_path / "whole")
    step.run(whole)
    parts = work_on(model, digits_data(), tmp_path / "parts")
    parts.report = stop
    with pytest.raises(Interrupted):
        step.run(parts)
    parts.report = lambda progress: None
    step.run(parts)
    assert parts.tflite == whole.tflite


def test_training_wins_back_what_one_scale_a_tensor_costs(tmp_path: Path) -> None:
    model = digits_model()
    spread = np.geomspace(0.03, 30, 8).astype(np.float32)
    first, second = kernels(model)[:2]
    first.assign(first * spread)  # channels of very different size: bad for one scale
    second.assign(second / spread[:, np.newaxis])
    data = digits_data()
    work = work_on(model, data, tmp_path)
    samples = data.calibration(100)
    float_model = FloatModel(model, work.inputs, work.outputs)
    plain = to_tflite(float_model, "m", Conversion("int8", samples, per_tensor=True), work.report)
    QuantisationAwareTraining(epochs=3, learning_rate=1e-3, per_tensor=True).run(work)
    assert work.tflite is not None
    ptq, qat = (
        np.mean(interpreted(content, data.test).argmax(1) == data.test.targets)
        for content in (plain, work.tflite)
    )
    assert qat > ptq


@pytest.mark.parametrize("onnx", [False, True], ids=["keras", "onnx"])
@pytest.mark.parametrize("key", SOURCES)
def test_benchmark_models_become_exact_integer_firmware(
    key: str, onnx: bool, benchmark_models: Path, tmp_path: Path
) -> None:
    path = benchmark_models / SOURCES[key]
    if onnx:
        export_onnx(path, tmp_path / f"{key}.onnx")
        path = tmp_path / f"{key}.onnx"
    model = load_float_model(path, detect(path), lambda progress: None)
    work = work_on(model.keras, random_data(model.keras, 16), tmp_path)
    work.inputs, work.outputs = model.inputs, model.outputs
    QuantisationAwareTraining(epochs=1, learning_rate=1e-6, batch_size=8, samples=16).run(work)
    assert work.tflite is not None
    assert float_ops(work.tflite) == ()
    (tmp_path / f"{key}.tflite").write_bytes(work.tflite)
    done = build(tmp_path / f"{key}.tflite", target="cortex-m4", samples=3, out=tmp_path / "out")
    assert [(v.device, v.exact) for v in done.result.verified] == [
        ("host C", True),
        ("cortex-m4", True),
    ]


@pytest.mark.parametrize(("repaired", "better"), [(0, False), (1, False), (12, True)])
def test_a_gain_counts_where_chance_does_not_explain_it(repaired: int, better: bool) -> None:
    from edgec.pipeline.compress.best_epoch import is_better

    targets = np.arange(100) % 4
    right = np.eye(4, dtype=np.float32)[targets]
    old = right.copy()
    old[:20] = np.roll(old[:20], 1, axis=1)
    new = old.copy()
    new[:repaired] = right[:repaired]
    split = Split((right,), targets)
    assert is_better(new, old, split, accuracy_metric(), classes=True) is better


def problems() -> list[tuple[dict[str, Any], str]]:
    return [
        ({"epochs": -1}, "epochs is -1, 0 or more wanted"),
        ({"learning_rate": 0.0}, "learning_rate is 0, more than 0 wanted"),
        ({"samples": 0}, "batch_size and samples must be 1 or more"),
    ]


@pytest.mark.parametrize(("settings", "message"), problems())
def test_settings_out_of_range_are_problems(settings: dict[str, Any], message: str) -> None:
    assert QuantisationAwareTraining(**settings).problem() == message
