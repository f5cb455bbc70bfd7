"""The named score of outputs against targets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgec.pipeline.compress.metric import confusion, load_metric
from edgec.pipeline.errors import DataError, EdgecError, UsageError

TARGETS = np.array([0, 0, 1, 1, 2, 2])
LOGITS = np.array([[5, 1, 0], [1, 5, 0], [0, 5, 1], [9, 8, 1], [0, 1, 5], [20, 21, 29]], np.float32)


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def test_without_a_name_it_goes_by_the_targets() -> None:
    assert load_metric(None, 3).name == "accuracy"
    assert load_metric(None, None).name == "mse"
    assert load_metric(None, 3).higher_is_better
    assert not load_metric(None, None).higher_is_better


@pytest.mark.parametrize("outputs", [LOGITS, softmax(LOGITS), LOGITS.reshape(6, 1, 1, 3)])
def test_accuracy_and_confusion(outputs: np.ndarray) -> None:
    assert load_metric("accuracy", 3).score(outputs, TARGETS) == pytest.approx(4 / 6)
    table = confusion(outputs, TARGETS, 3)
    assert table.tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 2]]


def test_f1_is_the_mean_over_classes() -> None:
    pytest.importorskip("sklearn")
    assert load_metric("f1", 3).score(LOGITS, TARGETS) == pytest.approx((0.5 + 0.5 + 1) / 3)


def test_auc_is_the_same_for_logits_and_probabilities() -> None:
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 3, 200)
    logits = rng.normal(size=(200, 3)).astype(np.float32)
    logits[np.arange(200), targets] += 1
    logits += rng.normal(size=(200, 1)).astype(np.float32) * 10
    auc = load_metric("auc", 3)
    exact = auc.score(softmax(logits), targets)
    assert 0.7 < exact < 0.95
    assert auc.score(logits, targets) == pytest.approx(exact)
    stored = np.round(softmax(logits) * 256) / 256
    assert auc.score(stored.astype(np.float32), targets) == pytest.approx(exact, abs=0.01)


def test_auc_of_two_classes() -> None:
    pytest.importorskip("sklearn")
    targets = np.array([0, 0, 1, 1])
    scores = np.array([[0.1], [0.4], [0.35], [0.8]], np.float32)
    auc = load_metric("auc", 2)
    assert auc.score(scores, targets) == 0.75
    assert auc.score(np.concatenate([1 - scores, scores], axis=1), targets) == 0.75
    assert auc.score(np.concatenate([-9 * scores, 9 * scores], axis=1), targets) == 0.75
    with pytest.raises(DataError, match="every sample is of class 1"):
        auc.score(scores, np.ones(4, int))


def test_one_output_is_split_as_a_probability_or_a_logit() -> None:
    accuracy = load_metric("accuracy", 2)
    targets = np.array([0, 1, 1])
    assert accuracy.score(np.array([[0.2], [0.7], [0.4]], np.float32), targets) == 2 / 3
    assert accuracy.score(np.array([[-0.2], [0.7], [0.4]], np.float32), targets) == 1.0


def test_errors_of_values() -> None:
    outputs, targets = np.array([[1.0], [4.0]]), np.array([0.0, 2.0])
    assert load_metric("mse", None).score(outputs, targets) == 2.5
    assert load_metric("mae", None).score(outputs, targets) == 1.5
    with pytest.raises(DataError, match=r"outputs of shape \[2\], targets of \[3\]"):
        load_metric("mse", None).score(np.zeros((4, 2)), np.zeros((4, 3)))


def test_a_function_of_the_users_is_a_metric(tmp_path: Path) -> None:
    (tmp_path / "my_metric.py").write_text(
        "def worst(outputs, targets):\n"
        "    return abs(outputs[:, 0] - targets).max()\n"
        "worst.higher_is_better = False\n"
        "def share(outputs, targets):\n"
        "    return (outputs.argmax(1) == targets).mean()\n"
        "def text(outputs, targets):\n"
        "    return 'good'\n",
        encoding="utf-8",
    )
    worst = load_metric("my_metric:worst", None, tmp_path)
    assert (worst.name, worst.higher_is_better) == ("my_metric:worst", False)
    assert worst.score(np.array([[1.0], [4.0]]), np.array([0.0, 2.0])) == 2.0
    share = load_metric("my_metric:share", 3, tmp_path)
    assert share.higher_is_better
    assert share.score(LOGITS, TARGETS) == pytest.approx(4 / 6)
    with pytest.raises(DataError, match="your function returned 'good', a finite number wanted"):
        load_metric("my_metric:text", 3, tmp_path).score(LOGITS, TARGETS)
    with pytest.raises(UsageError, match="no module 'my_absent'"):
        load_metric("my_absent:score", 3, tmp_path)


def test_a_metric_must_be_known_and_suit_the_targets() -> None:
    with pytest.raises(UsageError, match="unknown metric 'recall'") as caught:
        load_metric("recall", 3)
    assert "accuracy, f1, auc, mse, mae" in caught.value.hint
    with pytest.raises(UsageError, match="'mse' does not go with targets that are 3 classes"):
        load_metric("mse", 3)
    with pytest.raises(UsageError, match="'f1' does not go with targets that are values"):
        load_metric("f1", None)


def test_outputs_that_are_not_numbers_have_no_score() -> None:
    outputs = LOGITS.copy()
    outputs[3, 1] = np.nan
    with pytest.raises(EdgecError, match="output for sample 3 is not finite"):
        load_metric("accuracy", 3).score(outputs, TARGETS)
    with pytest.raises(DataError, match="6 outputs for 5 targets"):
        load_metric("accuracy", 3).score(LOGITS, TARGETS[:5])
