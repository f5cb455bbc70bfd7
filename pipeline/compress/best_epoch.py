"""Keeps the weights of the epoch whose model did best on validation. Worker process only."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import tf_keras

from edgec.pipeline.compress.observing import Observed
from edgec.pipeline.compress.training import predict
from edgec.pipeline.compress.work import Work, disk_errors


class BestEpoch(tf_keras.callbacks.Callback):  # type: ignore[misc]
    """Scores a model before its training and after each epoch; the first of the best is kept.

    So weights are moved only where that helps.

    What is kept lies in the step's folder, so that it outlives an interruption.
    """

    def __init__(self, observed: Observed, work: Work) -> None:
        super().__init__()
        self._observed = observed
        self._trained = observed.training
        self._work = work
        self._path = work.folder / "best.npz"
        if not self._path.is_file():
            self._keep(0, self._score())

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Keep the weights where the model did better than before."""
        if not math.isfinite((logs or {}).get("loss", 0.0)):
            return
        score = self._score()
        with np.load(self._path) as file:
            best = float(file["score"])
        sign = 1 if self._work.metric.higher_is_better else -1
        if sign * score > sign * best:
            self._keep(epoch + 1, score)

    def restore(self) -> int:
        """Give the model the weights of the best epoch; return its number, 0 before training."""
        with np.load(self._path) as file:
            weights = [file[f"weight_{i}"] for i in range(len(file.files) - 2)]
            self._trained.set_weights(weights)
            return int(file["epoch"])

    def _score(self) -> float:
        self._observed.refresh()
        split = self._work.data.validation
        return self._work.metric.score(predict(self._trained, split), split.targets)

    def _keep(self, epoch: int, score: float) -> None:
        arrays = {f"weight_{i}": w for i, w in enumerate(self._trained.get_weights())}
        partial = self._path.with_name(f".{self._path.name}")
        with disk_errors(self._path):
            with partial.open("wb") as stream:
                np.savez(stream, epoch=epoch, score=score, **arrays)
            partial.replace(self._path)
