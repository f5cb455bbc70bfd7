"""Removal of whole channels, which makes every later layer smaller."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from edgec.pipeline.compress import channel_pruning as pruning
from edgec.pipeline.compress.channel_coupling import analyse
from edgec.pipeline.compress.channel_removal import remove
from edgec.pipeline.compress.fine_tuning import drop_traits, fine_tune, training_problem
from edgec.pipeline.compress.teacher import original_model
from edgec.pipeline.compress.technique import Technique, technique
from edgec.pipeline.compress.training import Schedule
from edgec.pipeline.compress.work import Work
from edgec.pipeline.errors import UsageError


@technique("prune-channels")
@dataclass(frozen=True, slots=True)
class ChannelPruning(Technique):
    """Remove the channels that matter least, and train the smaller model.

    The layers get smaller, so flash, RAM and time all shrink on every target, without kernels for
    sparse weights: half the channels are about a quarter of the multiplications and weights.
    Channels that additions, depthwise layers and the like tie together go together; inputs and
    outputs stay as they are. What cannot lose channels (grouped convolutions, what a recurrent or
    attention layer gives) is named in the notes. First choice where the model is too big or slow.

    keep: fraction of each layer's channels that stays, more than 0 and up to 1.
    macs: fraction of the multiply-accumulates that may stay, instead of `keep`.
    criterion: what a channel is ranked by. `weight`: the size of the filters that make it.
        `activation`: its root mean square on training samples. `weight-activation`: that times the
        size of the weights that read it, which is what it adds to the next layer.
    allocation: how layers share what stays. `uniform`: the same fraction each. `ranked`: all
        channels in one ranking, relative to their layer. `sensitivity`: each layer is pruned alone
        at 3 fractions and judged on validation data; those that lose nothing give more.
    layers: fractions for layers by name, `*` allowed, as in {stem = 1.0, "block3_*" = 0.25}.
    least: the smallest fraction that any layer keeps, 0 to 1.
    multiple: channel counts are rounded to a multiple of this, 1 or more; 4 suits SIMD kernels.
    samples: how many training samples the activations are taken on, 1 or more.
    rounds: prune in this many rounds, training after each, 1 or more. Costs as many trainings.
    epochs: training after each round, 0 or more.
    learning_rate: Adam's at the start of each training.
    batch_size: samples a training step, 1 or more.
    distil: learn from the recipe's float model as well as from the labels. Needs no more than one
        inference of it a training sample.
    rewind: give what stays the weights that the recipe began with before each training, as in the
        search for lottery tickets, so that only the choice of channels is kept from it.

    Cost: training of a model that is smaller than the original, `rounds` times.
    """

    keep: float = 0.5
    macs: float | None = None
    criterion: Literal["weight", "activation", "weight-activation"] = "weight-activation"
    allocation: Literal["uniform", "ranked", "sensitivity"] = "uniform"
    layers: dict[str, float] = field(default_factory=dict)
    least: float = 0.0
    multiple: int = 4
    samples: int = 256
    rounds: int = 1
    epochs: int = 30
    learning_rate: float = 3e-3
    batch_size: int = 32
    distil: bool = True
    rewind: bool = False

    trains = True

    def problem(self) -> str:
        """Return what is wrong with the parameters."""
        fractions = {"keep": self.keep, **{f"layers.{k}": v for k, v in self.layers.items()}}
        if self.macs is not None:
            fractions["macs"] = self.macs
        for name, value in fractions.items():
            if not 0 < value <= 1:
                return f"{name} is {value:g}, more than 0 and up to 1 wanted"
        if not 0 <= self.least <= 1:
            return f"least is {self.least:g}, 0 to 1 wanted"
        for name in ("multiple", "samples", "rounds"):
            if getattr(self, name) < 1:
                return f"{name} is {getattr(self, name)}, 1 or more wanted"
        return training_problem(self.epochs, self.learning_rate, self.batch_size)

    def run(self, work: Work) -> None:
        """Replace `work.model` by one of fewer channels, trained."""
        plan = pruning.Plan(
            self.keep, self.macs, self.criterion, self.allocation, self.layers, self.least,
            self.multiple, self.samples,
        )  # fmt: skip
        model = work.model
        start = pruning.measure(model, plan)
        before = analyse(model)
        first = self._first_weights(work) if self.rewind else None
        schedule = Schedule(self.epochs, self.learning_rate, self.batch_size)
        for number in range(1, self.rounds + 1):
            found = analyse(model)
            share = (self.keep if self.macs is None else self.macs) ** (number / self.rounds)
            kept = pruning.remembered(
                work.folder / f"round-{number}.json",
                len(found.units),
                lambda: pruning.choose(found, start, plan, share, work),  # noqa: B023
            )
            model = remove(found, kept)
            if first is not None:
                first = remove(analyse(first), kept)
                model.set_weights(first.get_weights())
            fine_tune(model, work, schedule, distil=self.distil, label=f"round-{number}")
        after = analyse(model)
        work.notes.append(f"channels: {pruning.sizes_told(before, after)}")
        work.notes.extend(pruning.blocked_layers(before))
        drop_traits(work)
        work.model = model

    def _first_weights(self, work: Work) -> Any:
        """Return the recipe's float model, which must have the layers of the current one."""
        first = original_model(work)
        if [w.shape for w in first.weights] != [w.shape for w in work.model.weights]:
            raise UsageError(
                "prune-channels: rewind wants the layers that the recipe began with, and an "
                "earlier step changed them",
                "put prune-channels before steps that change layers, or leave rewind out",
            )
        return first
