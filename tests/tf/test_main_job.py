"""The main job on float sources: Keras and ONNX in, verified firmware on the simulated M4 out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgec.pipeline.driver import build

ROOT = Path(__file__).resolve().parents[2]
DIGITS = ROOT / "examples" / "digits"
SOURCES = {
    "ic": "ic_resnet8.h5",
    "kws": "kws_dscnn_savedmodel",
    "vww": "vww_mobilenetv1.h5",
    "ad": "ad_fc_autoencoder.h5",
}


def export_onnx(source: Path, out: Path) -> None:
    """Convert a Keras 2 file or SavedModel with tf2onnx, in a process of its own."""
    script = """
import sys, tensorflow as tf, tf_keras, tf2onnx
model = tf_keras.models.load_model(sys.argv[1], compile=False)
spec = [tf.TensorSpec((1, *model.inputs[0].shape[1:]), tf.float32, name="input")]
fn = tf.function(lambda x: model(x))
tf2onnx.convert.from_function(fn, spec, opset=17, output_path=sys.argv[2])
"""
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run(
        [sys.executable, "-c", script, str(source), str(out)], check=True, env=environment,
        capture_output=True,
    )  # fmt: skip


def assert_exact(model: Path, out: Path) -> None:
    done = build(model, target="cortex-m4", samples=20, out=out)
    assert [(v.device, v.samples, v.exact) for v in done.result.verified] == [
        ("host C", 20, True),
        ("cortex-m4", 20, True),
    ]
    assert done.result.synthetic
    assert any("synthetic" in w for w in done.result.warnings)
    assert "synthetic" in (out / "report.md").read_text()


@pytest.mark.parametrize("key", SOURCES)
def test_keras_models_become_exact_firmware(
    key: str, benchmark_models: Path, tmp_path: Path
) -> None:
    assert_exact(benchmark_models / SOURCES[key], tmp_path / "out")


@pytest.mark.parametrize("key", SOURCES)
def test_onnx_models_of_tf2onnx_become_exact_firmware(
    key: str, benchmark_models: Path, tmp_path: Path
) -> None:
    model = tmp_path / f"{key}.onnx"
    export_onnx(benchmark_models / SOURCES[key], model)
    assert_exact(model, tmp_path / "out")


def test_the_example_keeps_its_accuracy_on_the_board(tmp_path: Path) -> None:
    model = tmp_path / "digits.onnx"
    shutil.copy(DIGITS / "digits.onnx", model)
    arguments = ["--calibration", DIGITS / "calibration.npz", "--test", DIGITS / "test.npz"]
    command = [sys.executable, "-m", "edgec", "build", "--json", model, *arguments]
    done = subprocess.run(
        [*map(str, command), "-o", str(tmp_path / "out")], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    result = json.loads(done.stdout)["result"]
    accuracy = result["accuracy"]
    assert accuracy["samples"] >= 300
    assert accuracy["float_model"] > 0.95
    assert accuracy["reference"] > accuracy["float_model"] - 0.02
    assert accuracy["device"] == accuracy["reference"]
    assert not result["model"]["synthetic"]
