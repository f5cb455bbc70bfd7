"""Keeps the weights of the epoch whose model did best on validation. Worker process only."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import tf_keras

from edgec.pipeline.compress.dataset import Split
from edgec.pipeline.compress.metric import Metric
from edgec.pipeline.compress.observing import Observed
from edgec.pipeline.compress.training import predict
from edgec.pipeline.compress.work import Work, disk_errors
from edgec.pipeline.graph import Array

_RESAMPLINGS = 100
_CHANCE = 1.28
"""How many standard errors a gain must be: chance alone brings more about once in ten times."""


class BestEpoch(tf_keras.callbacks.Callback):  # type: ignore[misc]
    """Scores a model before its training and after each epoch, and keeps the best.

    An epoch takes the place of what is kept where it does better on validation by more than chance
    may bring about, so that weights are moved only where that helps. What is kept lies in the
    step's folder: it outlives an interruption.
    """

    def __init__(self, observed: Observed, work: Work) -> None:
        super().__init__()
        self._observed = observed
        self._trained = observed.training
        self._work = work
        self._path = work.folder / "best.npz"
        if not self._path.is_file():
            self._keep(0, self._outputs())

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Keep the weights where the model did better than before."""
        if not math.isfinite((logs or {}).get("loss", 0.0)):
            return
        outputs = self._outputs()
        with np.load(self._path) as file:
            kept = file["outputs"]
        classes = self._work.data.classes is not None
        if is_better(outputs, kept, self._work.data.validation, self._work.metric, classes):
            self._keep(epoch + 1, outputs)

    def restore(self) -> int:
        """Give the model the weights of the best epoch; return its number, 0 before training."""
        with np.load(self._path) as file:
            weights = [file[f"weight_{i}"] for i in range(len(file.files) - 2)]
            self._trained.set_weights(weights)
            return int(file["epoch"])

    def _outputs(self) -> Array:
        self._observed.refresh()
        return predict(self._trained, self._work.data.validation)

    def _keep(self, epoch: int, outputs: Array) -> None:
        arrays = {f"weight_{i}": w for i, w in enumerate(self._trained.get_weights())}
        partial = self._path.with_name(f".{self._path.name}")
        with disk_errors(self._path):
            with partial.open("wb") as stream:
                np.savez(stream, epoch=epoch, outputs=outputs, **arrays)
            partial.replace(self._path)


def is_better(new: Array, old: Array, split: Split, metric: Metric, classes: bool) -> bool:
    """Return whether `new` outputs score better than `old` ones by more than chance.

    The standard error of the gain is that of both scored on resamplings of the same samples, drawn
    with replacement, within each class where there are classes.
    """
    sign = 1 if metric.higher_is_better else -1
    rng = np.random.default_rng(0)
    groups = np.unique(split.targets, return_inverse=True)[1] if classes else np.zeros(split.count)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]

    def gain(chosen: Array) -> float:
        targets = split.targets[chosen]
        return sign * (metric.score(new[chosen], targets) - metric.score(old[chosen], targets))

    whole = gain(np.arange(split.count))
    if not whole > 0:
        return False
    drawn = (
        np.concatenate([rng.choice(group, len(group)) for group in members])
        for _ in range(_RESAMPLINGS)
    )
    return whole > _CHANCE * float(np.std([gain(chosen) for chosen in drawn]))
