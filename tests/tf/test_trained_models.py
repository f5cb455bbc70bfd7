"""The trained models of the tests: accurate, the same as ONNX, on samples they have not seen."""

from __future__ import annotations

import numpy as np
import pytest

from edgec.pipeline.compress.metric import load_metric
from tests.support.digits import MODELS, trained


@pytest.mark.parametrize("name", MODELS)
def test_a_trained_model_is_accurate_in_keras_and_onnx(name: str) -> None:
    import onnxruntime

    model = trained(name)
    data = model.dataset()
    assert model.accuracy >= 0.97
    assert model.seconds < 60
    assert data.warnings == ()
    session = onnxruntime.InferenceSession(model.onnx, providers=["CPUExecutionProvider"])
    scores = np.concatenate(
        [session.run(None, {"input": x[np.newaxis]})[0] for x in data.test.inputs[0]]
    )
    metric = load_metric("accuracy", data.classes)
    assert metric.score(scores, data.test.targets) == pytest.approx(model.accuracy, abs=0.003)


def test_no_recording_is_in_two_splits() -> None:
    with np.load(trained("vibration_conv1d").data) as file:
        groups = [set(file[f"group_{name}"]) for name in ("train", "validation", "test")]
    assert sum(map(len, groups)) == len(set.union(*groups))
