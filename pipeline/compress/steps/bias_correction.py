"""Bias correction: what quantised weights add on average is taken off the bias."""

from __future__ import annotations

from dataclasses import dataclass

from edgec.pipeline.compress.technique import Technique, technique
from edgec.pipeline.compress.work import Work


@technique("correct-bias")
@dataclass(frozen=True, slots=True)
class CorrectBias(Technique):
    """Take off each bias what the rounding of the weights to int8 adds to the output on average.

    Rounded weights shift the mean of a layer's outputs, most where a channel has few weights, as
    in depthwise layers; the shift is measured on training samples and corrected in the bias, or in
    the mean of the BatchNormalization behind (arXiv:1906.04721, section 4.2). Put it right before
    `ptq`: the float model is then off by as much as the int8 model is right again.

    samples: how many training samples the mean is taken over, 1 or more.
    per_tensor: whether the weights will be quantised per tensor, as `ptq` is told.

    Cost: some inferences on the workstation.
    """

    samples: int = 200
    per_tensor: bool = False

    def problem(self) -> str:
        """Return what is wrong with the parameters."""
        return "" if self.samples >= 1 else f"samples is {self.samples}, 1 or more wanted"

    def run(self, work: Work) -> None:
        """Change the biases of `work.model` in place."""
        from edgec.pipeline.compress.weight_rounding import correct_biases

        correct_biases(work, self)
