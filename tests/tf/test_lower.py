"""Float model files become int8 and float32 `.tflite` files, through the worker process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgec.pipeline.errors import DataError, UnsupportedModelError, UsageError
from edgec.pipeline.lower.tflite import Lowered, float_outputs, lower, summarize
from edgec.pipeline.worker import Progress

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

DIGITS = Path(__file__).resolve().parents[2] / "examples" / "digits"
MACS = {
    "ad_fc_autoencoder.h5": 264_192,
    "ic_resnet8.h5": 12_501_632,
    "kws_dscnn_savedmodel": 2_656_768,
    "vww_mobilenetv1.h5": 7_489_664,
}


def interpreter(path: Path) -> Any:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    made = Interpreter(str(path), experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    made.allocate_tensors()
    return made


def run(path: Path, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Run one sample in real values through a `.tflite`, whatever its types."""
    model = interpreter(path)
    for detail, value in zip(model.get_input_details(), inputs, strict=True):
        scale, zero = detail["quantization"]
        if scale:
            value = np.clip(np.round(value / scale) + zero, -128, 127)
        model.set_tensor(detail["index"], value.astype(detail["dtype"]))
    model.invoke()
    outputs = []
    for detail in model.get_output_details():
        value = model.get_tensor(detail["index"])
        scale, zero = detail["quantization"]
        outputs.append((value.astype(np.float32) - zero) * scale if scale else value)
    return outputs


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lowered, list[Progress]]:
    out = tmp_path_factory.mktemp("digits") / "model.tflite"
    seen: list[Progress] = []
    lowered = lower(
        DIGITS / "digits.onnx",
        out,
        calibration=DIGITS / "calibration.npz",
        progress=seen.append,
    )
    return lowered, seen


def test_example_keeps_its_accuracy_in_int8(digits: tuple[Lowered, list[Progress]]) -> None:
    lowered, _ = digits
    test = np.load(DIGITS / "test.npz")
    right = 0
    model = interpreter(lowered.path)
    source, target = model.get_input_details()[0], model.get_output_details()[0]
    scale, zero = source["quantization"]
    for image, digit in zip(test["x"], test["y"], strict=True):
        values = image[None].transpose(lowered.inputs[0].to_keras)
        quantised = np.clip(np.round(values / scale) + zero, -128, 127).astype(np.int8)
        model.set_tensor(source["index"], quantised)
        model.invoke()
        right += int(model.get_tensor(target["index"]).argmax() == digit)
    assert right / len(test["y"]) > 0.98


def test_int8_model_is_int8_in_and_out_per_channel_batch_one(
    digits: tuple[Lowered, list[Progress]],
) -> None:
    model = interpreter(digits[0].path)
    (source,), (target,) = model.get_input_details(), model.get_output_details()
    assert (source["dtype"], target["dtype"]) == (np.int8, np.int8)
    assert source["shape"].tolist() == [1, 8, 8, 1]
    weights = [d for d in model.get_tensor_details() if len(d["shape"]) == 4]
    assert any(len(d["quantization_parameters"]["scales"]) > 1 for d in weights)


def test_ports_and_calibration_are_reported(digits: tuple[Lowered, list[Progress]]) -> None:
    lowered, seen = digits
    assert lowered.inputs[0].shape == (1, 1, 8, 8)
    assert lowered.inputs[0].keras_shape == (1, 8, 8, 1)
    assert lowered.calibration == "calibration.npz: 200 samples"
    assert not lowered.synthetic and lowered.warnings == ()
    assert lowered.versions["tensorflow"].startswith("2.")
    assert {"load", "convert", "calibrate"} <= {step.stage for step in seen}


def test_without_samples_the_declared_range_is_drawn_from_and_bytes_repeat(
    tmp_path: Path,
) -> None:
    first = lower(DIGITS / "digits.onnx", tmp_path / "a.tflite")
    second = lower(DIGITS / "digits.onnx", tmp_path / "b.tflite")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.synthetic and "[0, 1] (declared as edgec.input_range)" in first.calibration
    assert "synthetic" in first.warnings[0]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.tflite", "b.tflite"]


def test_float_outputs_are_the_source_models(tmp_path: Path) -> None:
    import onnxruntime

    test = np.load(DIGITS / "test.npz")
    ports = float_outputs(DIGITS / "digits.onnx", DIGITS / "test.npz", tmp_path / "out.npz")
    session = onnxruntime.InferenceSession(str(DIGITS / "digits.onnx"))
    wanted = np.concatenate([session.run(None, {"image": x[None]})[0] for x in test["x"]])
    np.testing.assert_allclose(np.load(tmp_path / "out.npz")["logits"], wanted, atol=1e-4)
    assert [port.name for port in ports] == ["logits"]


@pytest.fixture(scope="module")
def two_ports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose input and output names sort against their order."""
    import tf_keras

    layers = tf_keras.layers
    wide, narrow = layers.Input((6,), name="zeta"), layers.Input((4,), name="alpha")
    x = layers.Concatenate()(
        [layers.Dense(5, "relu")(layers.Rescaling(1 / 255.0)(wide)), layers.Dense(3)(narrow)]
    )
    outputs = [layers.Dense(2, name="z_out")(x), layers.Dense(3, "softmax", name="a_out")(x)]
    model = tf_keras.Model([wide, narrow], outputs)
    folder = tmp_path_factory.mktemp("two")
    model.save(folder / "two.keras")
    generator = np.random.default_rng(0)
    zeta = generator.uniform(0, 255, (50, 6)).astype(np.float32)
    alpha = generator.uniform(-1, 1, (50, 4)).astype(np.float32)
    np.savez(folder / "samples.npz", zeta=zeta, alpha=alpha)
    z_out, a_out = model([zeta, alpha])
    np.savez(folder / "answers.npz", z_out=z_out, a_out=a_out)
    return folder


@pytest.mark.parametrize("quantize", ["int8", "float32"])
def test_ports_of_the_result_are_in_the_sources_order(
    two_ports: Path, tmp_path: Path, quantize: Any
) -> None:
    samples, answers = np.load(two_ports / "samples.npz"), np.load(two_ports / "answers.npz")
    lowered = lower(
        two_ports / "two.keras",
        tmp_path / "m.tflite",
        quantize=quantize,
        calibration=two_ports / "samples.npz",
    )
    assert [port.name for port in lowered.inputs] == ["zeta", "alpha"]
    assert [port.name for port in lowered.outputs] == ["z_out", "a_out"]
    got = run(lowered.path, [samples["zeta"][:1], samples["alpha"][:1]])
    atol = 0.05 if quantize == "int8" else 1e-5
    for values, name in zip(got, ("z_out", "a_out"), strict=True):
        np.testing.assert_allclose(values, answers[name][:1], rtol=0, atol=atol)
    if quantize == "float32":
        assert lowered.calibration == "none: float32" and not lowered.synthetic


@pytest.mark.parametrize("name", list(MACS))
def test_benchmark_models_convert_to_int8(
    benchmark_models: Path, tmp_path: Path, name: str
) -> None:
    lowered = lower(benchmark_models / name, tmp_path / "m.tflite")
    model = interpreter(lowered.path)
    for details, ports in (
        (model.get_input_details(), lowered.inputs),
        (model.get_output_details(), lowered.outputs),
    ):
        assert [d["dtype"] for d in details] == [np.int8] * len(ports)
        assert [tuple(d["shape"]) for d in details] == [port.keras_shape for port in ports]


def test_summary_counts_what_the_benchmark_publishes(benchmark_models: Path) -> None:
    layers = summarize(benchmark_models / "ic_resnet8.h5")
    assert sum(layer.macs for layer in layers) == MACS["ic_resnet8.h5"]
    first = next(layer for layer in layers if layer.type == "Conv2D")
    assert (first.output_shape, first.parameters) == ((1, 32, 32, 16), 448)
    assert first.macs == 32 * 32 * 16 * 27


def test_tflite_files_are_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(b"\x1c\x00\x00\x00TFL3" + bytes(64))
    with pytest.raises(UnsupportedModelError, match="cannot be quantised, because") as caught:
        lower(tmp_path / "m.tflite", tmp_path / "out.tflite")
    assert "--quantize float32" in caught.value.hint


def test_what_the_converter_does_not_take_is_refused_with_its_reason(tmp_path: Path) -> None:
    import tf_keras

    layers = tf_keras.layers
    model = tf_keras.Sequential(
        [layers.Input((4, 4, 1)), layers.UpSampling2D(interpolation="bicubic")]
    )
    model.save(tmp_path / "m.keras")
    with pytest.raises(UnsupportedModelError, match=r"m\.keras: TensorFlow's converter"):
        lower(tmp_path / "m.keras", tmp_path / "out.tflite")
    assert not (tmp_path / "out.tflite").exists()


@pytest.mark.parametrize("stack", [["LSTM", "LSTM"], ["GRU", "SimpleRNN"]])
def test_recurrent_layers_stay_right_in_int8(tmp_path: Path, stack: list[str]) -> None:
    import tf_keras

    layers = tf_keras.layers
    tf_keras.utils.set_random_seed(0)
    model = tf_keras.Sequential([layers.Input((5, 4))])
    for kind in stack:
        model.add(getattr(layers, kind)(4, return_sequences=True))
    model.save(tmp_path / "m.h5")
    lowered = lower(tmp_path / "m.h5", tmp_path / "m.tflite")
    x = np.random.default_rng(1).uniform(-1, 1, (4, 5, 4)).astype(np.float32)
    got = np.concatenate([run(lowered.path, [sample[None]])[0] for sample in x])
    wanted = np.asarray(model(x))
    assert np.abs(got - wanted).max() < 0.1 * np.ptp(wanted)


def test_what_stays_float_in_an_int8_model_is_said(tmp_path: Path) -> None:
    import tf_keras

    layers = tf_keras.layers
    model = tf_keras.Sequential(
        [layers.Input((4,)), layers.RepeatVector(3), layers.UnitNormalization()]
    )
    model.save(tmp_path / "m.keras")
    lowered = lower(tmp_path / "m.keras", tmp_path / "m.tflite")
    assert any("no int8 form of" in w and "SQUARE" in w for w in lowered.warnings)


def test_misshapen_samples_come_back_as_data_errors(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.random.default_rng(0).uniform(size=(20, 9, 9)))
    with pytest.raises(DataError, match=r"shape \[9, 9\], \[1, 8, 8\]"):
        lower(DIGITS / "digits.onnx", tmp_path / "o.tflite", calibration=tmp_path / "x.npy")


def test_missing_samples_and_folders_are_found_before_any_framework_starts(
    tmp_path: Path,
) -> None:
    with pytest.raises(DataError, match="no such calibration"):
        lower(DIGITS / "digits.onnx", tmp_path / "o.tflite", calibration=tmp_path / "none")
    with pytest.raises(UsageError, match="cannot be written"):
        lower(DIGITS / "digits.onnx", tmp_path / "none" / "o.tflite")


def test_damaged_models_are_refused_by_the_worker(tmp_path: Path) -> None:
    (tmp_path / "m.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(500))
    with pytest.raises(UnsupportedModelError, match=r"m\.h5: damaged HDF5 content"):
        lower(tmp_path / "m.h5", tmp_path / "o.tflite")
