"""Labelled data for training, validation and test, in splits that do not leak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgec.pipeline.graph import Array


@dataclass(frozen=True, slots=True)
class Split:
    """Samples and what the model should answer.

    `inputs` has one float32 array for each input of the model, in the compiled model's layout
    (channels last), samples along axis 0. `targets` are class numbers, int64 of shape (count,), or
    wanted outputs, float32 of shape (count, *output).
    """

    inputs: tuple[Array, ...]
    targets: Array

    @property
    def count(self) -> int:
        """Number of samples."""
        return len(self.targets)

    def take(self, indices: Array) -> Split:
        """Return the samples at `indices`."""
        return Split(tuple(x[indices] for x in self.inputs), self.targets[indices])


@dataclass(frozen=True, slots=True)
class Dataset:
    """The three splits; `classes` is the number of classes, None where values are predicted.

    Steps train on `train`, decide on `validation`, and never see `test`. `description` and
    `warnings` are for people: where the data is from, how it was split, the balance of classes.
    """

    train: Split
    validation: Split
    test: Split
    classes: int | None
    description: str = ""
    warnings: tuple[str, ...] = ()

    def calibration(self, count: int, seed: int = 0) -> tuple[Array, ...]:
        """Return up to `count` training inputs, drawn at random, the same for the same seed."""
        order = np.random.default_rng(seed).permutation(self.train.count)[:count]
        return tuple(x[order] for x in self.train.inputs)
