"""The training loop: what goes wrong is said, and the last good epoch is kept."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest
import tf_keras
from tf_keras import layers as L

from edgec.pipeline.compress.training import Schedule, ends_in_probabilities, train
from edgec.pipeline.errors import UsageError
from tests.support.compress_work import digits_data, work_on


def small(dropout: float = 0.0) -> Any:
    tf_keras.utils.set_random_seed(1)
    x = inputs = L.Input((8, 8, 1))
    x = L.Dense(8, activation="relu")(L.Flatten()(x))
    x = L.Dropout(dropout)(x) if dropout else x
    return tf_keras.Model(inputs, L.Dense(10, activation="softmax")(x))


def test_a_loss_that_is_not_finite_is_an_error_and_good_epochs_are_kept(tmp_path: Path) -> None:
    work = work_on(small(), digits_data(), tmp_path)
    train(work.model, work, Schedule(1, 1e-3), label="t")
    kept = work.folder / "t" / "progress.json"
    with pytest.raises(UsageError, match=r"t: the loss is (nan|inf) in epoch 2 of 2") as caught:
        train(work.model, work, Schedule(2, 1e38), label="t")
    assert "lower learning_rate, now 1e+38" in caught.value.hint
    assert json.loads(kept.read_text()) == {"epochs": 1}
    assert (work.folder / "t" / "epoch-1").is_dir()


def test_random_layers_too_go_on_as_if_never_interrupted(tmp_path: Path) -> None:
    whole = work_on(small(0.4), digits_data(), tmp_path / "whole")
    train(whole.model, whole, Schedule(2, 1e-3), label="t")
    halved = work_on(small(0.4), digits_data(), tmp_path / "halved")

    def interrupt(progress: Any) -> None:
        raise KeyboardInterrupt

    halved.report = interrupt
    with pytest.raises(KeyboardInterrupt):
        train(halved.model, halved, Schedule(2, 1e-3), label="t")
    again = work_on(small(0.4), digits_data(), tmp_path / "again")
    again.folder = halved.folder
    train(again.model, again, Schedule(2, 1e-3), label="t")
    for one, other in zip(whole.model.get_weights(), again.model.get_weights(), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("last", "probabilities"),
    [("softmax", True), ("sigmoid", True), ("linear", False), ("relu", False)],
)
def test_the_loss_follows_what_the_model_ends_in(last: str, probabilities: bool) -> None:
    x = inputs = L.Input((4,))
    model = tf_keras.Model(inputs, L.Dense(3, activation=last)(x))
    assert ends_in_probabilities(model) is probabilities
    apart = tf_keras.Model(inputs, L.Activation(last)(L.Dense(3)(x)))
    assert ends_in_probabilities(apart) is probabilities
