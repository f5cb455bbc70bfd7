"""Post-training quantisation of a recipe: int8 in and out, ranges from training samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edgec.pipeline.compress.steps.ptq import PostTrainingQuantisation
from edgec.pipeline.lower.converted_file import float_ops
from tests.support.compress_work import digits_data, interpreted, work_on


def small_cnn() -> Any:
    import tf_keras
    from tf_keras import layers

    tf_keras.utils.set_random_seed(3)
    x = inputs = tf_keras.Input((8, 8, 1))
    x = layers.Conv2D(6, 3, padding="same", activation="relu")(x)
    x = layers.DepthwiseConv2D(3, strides=2, activation="relu")(x)
    x = layers.Dense(10, activation="softmax")(layers.Flatten()(x))
    return tf_keras.Model(inputs, x)


def scale_counts(content: bytes) -> set[int]:
    """Return how many scales the int8 constants have."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    return {
        len(t.quantization.scale)
        for t in model.subgraphs[0].tensors
        if t.type == schema.TensorType.INT8 and model.buffers[t.buffer].data is not None
    }


@pytest.mark.parametrize(("per_tensor", "scales"), [(False, {6, 10}), (True, {1})])
def test_the_model_is_int8_and_close_to_the_float_model(
    tmp_path: Path, per_tensor: bool, scales: set[int]
) -> None:
    work = work_on(small_cnn(), digits_data(), tmp_path)
    PostTrainingQuantisation(samples=50, per_tensor=per_tensor).run(work)
    assert work.tflite is not None
    assert float_ops(work.tflite) == ()
    assert scale_counts(work.tflite) == scales
    test = work.data.test.take(np.arange(40))
    gap = interpreted(work.tflite, test) - np.asarray(work.model(test.inputs[0]))
    assert np.abs(gap).max() < 0.02
    assert work.notes == []


def test_a_count_below_one_is_a_problem() -> None:
    assert PostTrainingQuantisation(samples=0).problem() == "samples is 0, 1 or more wanted"
