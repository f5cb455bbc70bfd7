"""The analysis names the layer that is bad, and what it proposes repairs the model."""

from __future__ import annotations

import json
import os
from pathlib import Path

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest

from edgec.pipeline.cli import main
from edgec.pipeline.compress.analysis import analyze
from edgec.pipeline.compress.compression import CompressOptions, compress
from edgec.pipeline.compress.data_source import data_source_from
from edgec.pipeline.compress.metric import load_metric
from edgec.pipeline.compress.recipe import load_recipe
from edgec.pipeline.load.float_model import FloatModel, Port
from edgec.pipeline.lower.conversion import Conversion, to_tflite
from edgec.pipeline.lower.edge_quantizer import quantize_file
from edgec.pipeline.lower.interpretation import outputs
from tests.support.digits import trained

FACTOR = 3000.0


def spoilt(folder: Path) -> Path:
    """The digits network with a channel that is huge, and made up for in the next layer.

    In float it answers as before; in 8 bits the layer's other channels vanish.
    """
    import tf_keras

    model = tf_keras.models.load_model(trained("digits_cnn").keras, compile=False)
    first, second = [x for x in model.layers if type(x).__name__ == "Conv2D"][1:]
    kernel, bias = first.get_weights()
    kernel[..., 2] *= FACTOR
    bias[2] *= FACTOR
    first.set_weights([kernel, bias])
    kernel, bias = second.get_weights()
    kernel[:, :, 2, :] /= FACTOR
    second.set_weights([kernel, bias])
    path = folder / "spoilt.h5"
    model.save(path)
    return path


def test_a_spoilt_layer_comes_first_and_the_printed_recipe_repairs_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = trained("digits_cnn").data
    model = spoilt(tmp_path)
    with pytest.raises(SystemExit) as left:
        main(["analyze", str(model), "--data", str(data), "--json"])
    assert left.value.code == 0
    found = json.loads(capsys.readouterr().out)
    worst = found["layers"][0]
    assert "conv2d_1/" in worst["name"]
    assert worst["loss"] > 0.05
    assert worst["count"] > 0 and worst["weight_bytes"] > 0
    assert found["float_score"] - found["int8_score"] > 0.05
    lines = found["repairs"][0]["recipe"]
    assert "equalize" in lines
    recipe = tmp_path / "repair.toml"
    recipe.write_text(lines, encoding="utf-8")
    options = CompressOptions(
        load_recipe(recipe), data_source_from(str(data)), out=tmp_path / "c", images="none"
    )
    result, _ = compress(model, options, lambda progress: None)
    assert result.steps[0].score is not None and result.compressed is not None
    assert result.compressed.generated_c is not None
    assert result.compressed.generated_c > result.steps[0].score - 0.015


def test_where_equalising_does_not_help_layers_get_16_bits(tmp_path: Path) -> None:
    import tf_keras

    model = tf_keras.models.load_model(spoilt(tmp_path), compile=False)
    ports = (Port("x", (1, 8, 8, 1), (0, 1, 2, 3)),), (Port("y", (1, 10), (0, 1)),)
    content = to_tflite(FloatModel(model, *ports), "m", Conversion("float32"), lambda p: None)
    data = trained("digits_cnn").dataset()
    found = analyze(content, data, load_metric(None, 10), lambda steps: content, lambda p: None)
    assert 'use = "ptq-fast"' in found.repairs[0].recipe
    assert "conv2d_1/" in found.repairs[0].recipe
    assert found.repairs[0].score is not None
    assert found.repairs[0].score > found.int8_score


def test_a_model_that_takes_8_bits_gets_no_repair(capsys: pytest.CaptureFixture[str]) -> None:
    model = trained("digits_dscnn")
    with pytest.raises(SystemExit) as left:
        main(["analyze", str(model.onnx), "--data", str(model.data), "--no-image", "-q"])
    assert left.value.code == 0
    printed = capsys.readouterr().out
    assert "SQNR" in printed and "[[step]]" not in printed


def test_zero_channels_keep_their_bias_in_ai_edge_quantizer(tmp_path: Path) -> None:
    import tf_keras
    from tf_keras import layers as L

    tf_keras.utils.set_random_seed(0)
    x = inputs = L.Input((6, 6, 2))
    x = L.Conv2D(4, 3, activation="relu", name="c")(x)
    x = L.DepthwiseConv2D(3, name="d")(x)
    model = tf_keras.Model(inputs, L.Dense(3, name="e")(L.Flatten()(x)))
    for name, zero in (("c", np.s_[..., 1]), ("d", np.s_[..., 2, :])):
        kernel, bias = model.get_layer(name).get_weights()
        kernel[zero] = 0
        model.get_layer(name).set_weights([kernel, bias + 0.7])
    ports = (Port("x", (1, 6, 6, 2), (0, 1, 2, 3)),), (Port("y", (1, 3), (0, 1)),)
    content = to_tflite(FloatModel(model, *ports), "m", Conversion("float32"), lambda p: None)
    samples = (np.random.default_rng(1).uniform(-1, 1, (60, 6, 6, 2)).astype(np.float32),)
    for bits, allowed in ((8, 0.05), (16, 0.02)):
        quantized = quantize_file(content, samples, lambda p: None, bits=bits)
        wanted, got = outputs(content, samples), outputs(quantized, samples)
        assert np.abs(got - wanted).max() < allowed * np.abs(wanted).max()
