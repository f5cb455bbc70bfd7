"""Convolutions replaced by depthwise-separable ones."""

from __future__ import annotations

from dataclasses import dataclass

from edgec.pipeline.compress.fine_tuning import drop_traits, fine_tune, training_problem
from edgec.pipeline.compress.layer_separation import separate
from edgec.pipeline.compress.technique import Technique, technique
from edgec.pipeline.compress.training import Schedule
from edgec.pipeline.compress.work import Work


@technique("compact")
@dataclass(frozen=True, slots=True)
class Separation(Technique):
    """Replace convolutions by a depthwise layer and a 1x1 convolution, and train the result.

    A 3x3 convolution of many channels becomes about 8 times cheaper and loses most of what it
    knew: it starts as the nearest separable one (by singular values of each input channel's
    filters) and needs training, best with `distil`. The notes say for each layer what it came to.
    Layers of 1x1 windows, grouped ones, those of uneven strides, and those that read fewer than 4
    channels or would not get cheaper stay as they are.

    layers: names of the layers to replace, `*` allowed.
    multiplier: depthwise filters for each input channel, 1 or more; 2 keeps more and costs twice.
    epochs: training afterwards, 0 or more.
    learning_rate: Adam's at the start of the training.
    batch_size: samples a training step, 1 or more.
    distil: learn from the recipe's float model as well as from the labels.

    Cost: the training.
    """

    layers: tuple[str, ...] = ("*",)
    multiplier: int = 1
    epochs: int = 30
    learning_rate: float = 2e-3
    batch_size: int = 32
    distil: bool = True

    trains = True

    def problem(self) -> str:
        """Return what is wrong with the parameters."""
        if self.multiplier < 1:
            return f"multiplier is {self.multiplier}, 1 or more wanted"
        return training_problem(self.epochs, self.learning_rate, self.batch_size)

    def run(self, work: Work) -> None:
        """Replace `work.model` by one of separable layers, trained."""
        model, notes, replaced = separate(work.model, self.layers, self.multiplier)
        work.notes.extend(notes)
        if not replaced:
            work.notes.append("no convolution was replaced")
            return
        schedule = Schedule(self.epochs, self.learning_rate, self.batch_size)
        fine_tune(model, work, schedule, distil=self.distil, label="compact")
        drop_traits(work)
        work.model = model
