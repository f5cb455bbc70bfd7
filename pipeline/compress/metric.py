"""The one number by which a compressed model is judged.

| name | of | formula |
| --- | --- | --- |
| `accuracy` | classes | share of samples whose largest output is their class's |
| `f1` | classes | F1 of each class, averaged over classes (macro) |
| `auc` | classes | area under the ROC curve; mean of one against the rest if more than two |
| `mse` | values | mean squared error |
| `mae` | values | mean absolute error |
| `module:function` | either | the user's: `function(outputs, targets)` returns a number |

Outputs may be logits or probabilities. Where one output tells two classes apart, it is a
probability if every output of the split is in 0..1, split at 0.5, else a logit, split at 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgec.pipeline.compress.user_code import user_function
from edgec.pipeline.errors import DataError, EdgecError, ToolMissingError, UsageError
from edgec.pipeline.graph import Array

Score = Callable[[Array, Array], float]


@dataclass(frozen=True, slots=True)
class Metric:
    """A named score of a model's outputs, (count, *output) in float32, against the targets."""

    name: str
    higher_is_better: bool
    score: Callable[[Array, Array], float]


def load_metric(name: str | None, classes: int | None, search_path: Path | None = None) -> Metric:
    """Return the metric of this name for data of so many classes, None for values.

    Without a name it is `accuracy` for classes and `mse` for values. `module:function` is code of
    the user's, looked up in `search_path`, the working directory if None; a function with an
    attribute `higher_is_better = False` measures an error. Raises UsageError where the name is
    unknown or does not go with the data.
    """
    if name is None:
        name = "mse" if classes is None else "accuracy"
    if ":" in name:
        return _user_metric(name, search_path or Path.cwd())
    of_classes: dict[str, Score] = {"accuracy": _accuracy, "f1": _f1, "auc": _auc}
    of_values: dict[str, Score] = {"mse": _mse, "mae": _mae}
    if name not in of_classes | of_values:
        known = ", ".join([*of_classes, *of_values])
        raise UsageError(f"unknown metric {name!r}", f"known: {known}, or your module:function")
    suited = of_values if classes is None else of_classes
    if name not in suited:
        kind = "values" if classes is None else f"{classes} classes"
        raise UsageError(
            f"metric {name!r} does not go with targets that are {kind}",
            f"known for these: {', '.join(suited)}",
        )
    return Metric(name, classes is not None, _guarded(name, suited[name]))


def confusion(outputs: Array, targets: Array, classes: int) -> Array:
    """Return how many samples of each class (row) were taken for each class (column)."""
    table = np.zeros((classes, classes), np.int64)
    np.add.at(table, (targets, predicted(outputs)), 1)
    return table


def predicted(outputs: Array) -> Array:
    """Return the class that each sample's outputs name."""
    flat = outputs.reshape(len(outputs), -1)
    if flat.shape[1] > 1:
        return np.asarray(flat.argmax(axis=1), np.int64)
    probabilities = flat.min() >= 0.0 and flat.max() <= 1.0
    return np.asarray(flat[:, 0] > (0.5 if probabilities else 0.0), np.int64)


def _guarded(name: str, score: Score) -> Score:
    """Refuse outputs that no score can be given for."""

    def guarded(outputs: Array, targets: Array) -> float:
        if len(outputs) != len(targets) or not len(targets):
            raise DataError(f"{name}: {len(outputs)} outputs for {len(targets)} targets")
        if not np.isfinite(outputs).all():
            sample = int(np.argwhere(~np.isfinite(outputs))[0][0])
            raise EdgecError(
                f"{name}: the model's output for sample {sample} is not finite",
                "look for extreme values in the data and the weights; lower the learning rate",
            )
        return float(score(outputs, targets))

    return guarded


def _user_metric(name: str, search_path: Path) -> Metric:
    function = user_function(name, search_path)

    def score(outputs: Array, targets: Array) -> float:
        value = function(outputs, targets)
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            raise DataError(
                f"{name}: your function returned {value!r:.80}, a finite number wanted",
                "it is called as function(outputs, targets)",
            )
        return number

    return Metric(name, bool(getattr(function, "higher_is_better", True)), _guarded(name, score))


def _accuracy(outputs: Array, targets: Array) -> float:
    return float(np.mean(predicted(outputs) == targets))


def _f1(outputs: Array, targets: Array) -> float:
    try:
        from sklearn.metrics import f1_score
    except ImportError:
        raise _no_sklearn("f1") from None
    return float(f1_score(targets, predicted(outputs), average="macro", zero_division=0.0))


def _auc(outputs: Array, targets: Array) -> float:
    try:
        from sklearn.metrics import roc_auc_score
    except ImportError:
        raise _no_sklearn("auc") from None
    scores = _class_scores(outputs.reshape(len(outputs), -1))
    present = np.unique(targets)
    if len(present) < 2:
        raise DataError(
            f"auc: every sample is of class {present[0]}, two classes or more wanted",
            "choose another metric or another split",
        )
    wanted = present if scores.shape[1] > 2 else np.array([1])
    return float(np.mean([roc_auc_score(targets == c, scores[:, c]) for c in wanted]))


def _class_scores(outputs: Array) -> Array:
    """Return a score for each class that can be compared from sample to sample.

    Logits cannot where there are more than two classes: a constant added to all of a sample's
    changes nothing in what they say. So they go through a softmax. Probabilities out of an int8
    model, in steps of 1/256, do not add up to exactly one.
    """
    if outputs.shape[1] == 1:
        return np.concatenate([-outputs, outputs], axis=1)
    slack = 0.01 + outputs.shape[1] / 256
    sums = outputs.sum(axis=1)
    if outputs.min() >= 0.0 and outputs.max() <= 1.0 and np.abs(sums - 1.0).max() <= slack:
        return outputs
    powers = np.exp((outputs - outputs.max(axis=1, keepdims=True)).astype(np.float64))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _mse(outputs: Array, targets: Array) -> float:
    return float(np.mean(np.square(_difference(outputs, targets))))


def _mae(outputs: Array, targets: Array) -> float:
    return float(np.mean(np.abs(_difference(outputs, targets))))


def _difference(outputs: Array, targets: Array) -> Array:
    if outputs.size != targets.size:
        raise DataError(
            f"outputs of shape {list(outputs.shape[1:])}, targets of {list(targets.shape[1:])}"
        )
    return outputs.astype(np.float64) - targets.reshape(outputs.shape)


def _no_sklearn(name: str) -> ToolMissingError:
    return ToolMissingError(
        f"metric {name!r} needs scikit-learn", "pip install 'edgec[tensorflow]'"
    )
