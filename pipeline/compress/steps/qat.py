"""Quantisation-aware training to int8."""

from __future__ import annotations

from dataclasses import dataclass

from edgec.pipeline.compress.technique import Technique, technique
from edgec.pipeline.compress.work import Work


@technique("qat")
@dataclass(frozen=True, slots=True)
class QuantisationAwareTraining(Technique):
    """Train the model with its weights and activations rounded as int8 code will round them.

    The weights learn to live with 8 bits, so that what `ptq` loses is mostly won back; it also
    repairs what pruning, clustering or a smaller model before it cost. Batch normalisation is
    folded into its neighbours first, ranges start from a float calibration pass, and the result
    computes in integers throughout: an op that would be left in float is an error. Zeros of `prune`
    and shared values of `cluster` stay what they are.

    epochs: how often the training data is gone through, 0 or more; a tenth of what the float
        training took is usual. 0 only converts.
    learning_rate: Adam's, above 0, falling to its tenth. Start with a tenth of what the float
        training had: weights are to move by steps of rounding, not to be learnt anew.
    batch_size: samples a step, 1 or more.
    samples: how many training samples set the first ranges, 1 or more.
    distil: learn from the outputs of the float model that the recipe began with as well. It keeps
        the model what it was where labels alone would teach it the training data by heart.
    per_tensor: give each weight tensor one scale instead of one for each output channel.

    Kept is the epoch that did best on validation, by more than chance may bring about, or the
    weights as they were, only rounded, where no epoch did.

    Cost: about twice the time of as many epochs of float training; seconds to convert.
    """

    epochs: int = 5
    learning_rate: float = 1e-4
    batch_size: int = 32
    samples: int = 500
    distil: bool = True
    per_tensor: bool = False

    gives = "tflite"
    trains = True

    def problem(self) -> str:
        """Return what is wrong with the parameters."""
        if self.epochs < 0:
            return f"epochs is {self.epochs}, 0 or more wanted"
        if self.learning_rate <= 0:
            return f"learning_rate is {self.learning_rate:g}, more than 0 wanted"
        if self.batch_size < 1 or self.samples < 1:
            return "batch_size and samples must be 1 or more"
        return ""

    def run(self, work: Work) -> None:
        """Train, and set `work.tflite`."""
        from edgec.pipeline.compress.quantized_training import train_quantized

        train_quantized(work, self)
