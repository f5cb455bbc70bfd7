"""What the official runner makes of the results: top-1 accuracy or its like, and AUC."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgec.pipeline.errors import DataError, ToolMissingError
from edgec.pipeline.graph import Array


@dataclass(frozen=True, slots=True)
class Scores:
    """Accuracy in percent and AUC over `files` files, which were `inferences` inferences.

    `auc` is None where the runner computes none: there is only one class.
    """

    files: int
    inferences: int
    accuracy: float
    auc: float | None


def need_sklearn() -> None:
    """Raise ToolMissingError if scikit-learn is not installed."""
    if importlib.util.find_spec("sklearn") is None:
        raise ToolMissingError(
            "the AUC needs scikit-learn", "pip install scikit-learn, or 'edgec[tensorflow]'"
        )


def score(
    files: Sequence[str], labels: Sequence[int], results: Sequence[Sequence[float]]
) -> Scores:
    """Return the scores of one result an inference; those of one file are averaged."""
    rows: dict[str, list[Array]] = {}
    truth: dict[str, int] = {}
    for name, label, result in zip(files, labels, results, strict=True):
        rows.setdefault(name, []).append(_normal(name, result))
        truth[name] = label
    answers = np.array([np.mean(found, axis=0) for found in rows.values()])
    wanted = np.array(list(truth.values()))
    if answers.shape[1] == 1:
        accuracy = _best_threshold(answers[:, 0], wanted)
    else:
        accuracy = 100 * float(np.mean(answers.argmax(axis=1) == wanted))
    return Scores(len(rows), len(results), accuracy, _auc(answers, wanted))


def _normal(name: str, result: Sequence[float]) -> Array:
    """Return class scores that add up to one; an anomaly's score stays as it is."""
    values = np.array(result, np.float64)
    if len(values) == 1:
        return values
    total = values.sum()
    if not total > 0:
        raise DataError(f"{name}: the results {list(result)} add up to {total:g}")
    return np.asarray(values / total)


def _best_threshold(answers: Array, wanted: Array) -> float:
    """Return the best mean of precision and recall, in percent, of a hundred thresholds."""
    low, high = float(answers.min()), float(answers.max())
    best = 0.0
    for part in np.arange(0.0, 1.0, 0.01):
        said = answers > low + part * (high - low)
        hits = float(np.sum(said & (wanted == 1)))
        precision = hits / (float(np.sum(said & (wanted != 1))) + hits + 1e-8)
        recall = hits / (float(np.sum(~said & (wanted == 1))) + hits + 1e-8)
        best = max(best, 100 * (precision + recall) / 2)
    return best


def _auc(answers: Array, wanted: Array) -> float | None:
    """Return scikit-learn's area under the curve, of one class against the rest where more."""
    classes = answers.shape[1]
    present = np.unique(wanted)
    if len(present) < 2:
        return None
    if classes > 2 and len(present) != classes:
        return None  # scikit-learn wants a sample of each class, and so does the runner
    need_sklearn()
    from sklearn.metrics import roc_auc_score

    if classes <= 2:
        return float(roc_auc_score(wanted, answers[:, -1]))
    return float(roc_auc_score(wanted, answers, multi_class="ovr"))
