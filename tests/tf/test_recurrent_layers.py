"""Keras' LSTM, converted by TensorFlow, answers in C as in the interpreter, state and all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgec.pipeline.graph import check
from edgec.pipeline.load import tflite
from tests.support.hostc import run_host
from tests.support.oracle import run_litert

STEPS, SIZE, RUNS = 5, 4, 6


def convert(sequences: bool, quantised: bool) -> bytes:
    import tensorflow as tf
    import tf_keras as keras

    keras.utils.set_random_seed(1)
    shape = (1, STEPS, SIZE)
    layer = keras.layers.LSTM(6, return_sequences=sequences)
    model = keras.Sequential([keras.Input(shape[1:], batch_size=1), layer])
    spec = tf.TensorSpec(shape, tf.float32)
    function = tf.function(lambda x: model(x)).get_concrete_function(spec)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], model)
    if quantised:
        rng = np.random.default_rng(0)
        samples = [[rng.normal(size=shape).astype(np.float32)] for _ in range(20)]
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: iter(samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


@pytest.mark.parametrize(("sequences", "quantised"), [(False, True), (True, True), (False, False)])
def test_state_carries_over_as_in_the_interpreter(
    sequences: bool, quantised: bool, tmp_path: Path
) -> None:
    content = convert(sequences, quantised)
    graph = check(tflite.parse(content, "lstm"))
    assert graph.ops[0].builtin == "UNIDIRECTIONAL_SEQUENCE_LSTM"
    rng = np.random.default_rng(2)
    shape = (1, STEPS, SIZE)
    samples = [
        [
            rng.integers(-128, 128, shape).astype(np.int8)
            if quantised
            else rng.normal(size=shape).astype(np.float32)
        ]
        for _ in range(RUNS)
    ]
    got, want = run_host(graph, samples, tmp_path), run_litert(content, samples)
    for mine, theirs in zip(got, want, strict=True):
        if quantised:
            np.testing.assert_array_equal(mine[0], theirs[0])
        else:
            np.testing.assert_allclose(mine[0], theirs[0], rtol=0, atol=1e-6)
