"""Dense and convolution layers split into two smaller ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edgec.pipeline.compress import layer_split
from edgec.pipeline.compress.fine_tuning import drop_traits, fine_tune, training_problem
from edgec.pipeline.compress.technique import Technique, technique
from edgec.pipeline.compress.training import Schedule
from edgec.pipeline.compress.work import Work


@technique("low-rank")
@dataclass(frozen=True, slots=True)
class LowRank(Technique):
    """Split dense and convolution layers into two of low rank each, and train the result.

    A layer is decomposed by singular values, weighted by how its outputs vary on training samples,
    and the smallest ones are dropped. Pays for wide dense layers and for convolutions of many
    channels, whose outputs resemble each other; a layer is split only where that saves, and the
    notes say for each layer what it came to. Each split layer becomes two, so the activations
    between them cost time and RAM of their own.

    energy: the share of the variance of each layer's outputs to keep, more than 0 and up to 1; it
        sets the ranks.
    macs: the fraction of the model's multiply-accumulates that may stay, instead of `energy`:
        the highest energy, the same for all layers, that comes to it.
    parameters: the fraction of the model's weights that may stay, instead of `energy`.
    scheme: how convolutions are split. `channel`: the same window to few channels, then 1x1.
        `spatial`: a column kx1 to few channels, then a row 1xk. `auto`: the cheaper, layer by
        layer.
    samples: how many training samples the outputs are taken on; 0 decomposes the weights by
        themselves, so that `energy` is the share of their squares.
    saving: a layer is split where it saves at least this fraction of its MACs (of its weights,
        where `parameters` is given), 0 to 1.
    layers: names of the layers to look at, `*` allowed.
    multiple: ranks are rounded up to a multiple of this, 1 or more; 4 suits SIMD kernels.
    epochs: training afterwards, 0 or more.
    learning_rate: Adam's at the start of the training.
    batch_size: samples a training step, 1 or more.
    distil: learn from the recipe's float model as well as from the labels.

    Cost: seconds for the decomposition, then the training.
    """

    energy: float = 0.9
    macs: float | None = None
    parameters: float | None = None
    scheme: Literal["auto", "channel", "spatial"] = "auto"
    samples: int = 256
    saving: float = 0.1
    layers: tuple[str, ...] = ("*",)
    multiple: int = 4
    epochs: int = 10
    learning_rate: float = 1e-3
    batch_size: int = 32
    distil: bool = True

    trains = True

    def problem(self) -> str:
        """Return what is wrong with the parameters."""
        if self.macs is not None and self.parameters is not None:
            return "macs and parameters are both given, one of them wanted"
        for name in ("energy", "macs", "parameters"):
            value = getattr(self, name)
            if value is not None and not 0 < value <= 1:
                return f"{name} is {value:g}, more than 0 and up to 1 wanted"
        if not 0 <= self.saving < 1:
            return f"saving is {self.saving:g}, 0 to less than 1 wanted"
        if self.samples < 0:
            return f"samples is {self.samples}, 0 or more wanted"
        if self.multiple < 1:
            return f"multiple is {self.multiple}, 1 or more wanted"
        return training_problem(self.epochs, self.learning_rate, self.batch_size)

    def run(self, work: Work) -> None:
        """Replace `work.model` by one of split layers, trained."""
        samples = work.data.calibration(self.samples, work.seed) if self.samples else ()
        found = layer_split.candidates(work.model, self.layers, self.scheme, samples)
        measure: layer_split.Measure = "macs" if self.parameters is None else "parameters"
        share = self.macs if self.parameters is None else self.parameters
        if share is None:
            splits = layer_split.at_energy(found, self.energy, self.multiple, self.saving, measure)
        else:
            whole = layer_split.whole_cost(work.model)
            splits = layer_split.within(found, share, self.multiple, self.saving, measure, whole)
        work.notes.extend(layer_split.told(split) for split in splits)
        if all(split.way is None for split in splits):
            work.notes.append("no layer was split: nothing would be saved")
            return
        model = layer_split.apply_splits(work.model, splits)
        schedule = Schedule(self.epochs, self.learning_rate, self.batch_size)
        fine_tune(model, work, schedule, distil=self.distil, label="low-rank")
        drop_traits(work)
        work.model = model
