"""Magnitude pruning of single weights or of patterns, through TF-MOT where it has the pattern."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from edgec.pipeline.compress.technique import Technique, technique
from edgec.pipeline.compress.work import Work


@technique("prune")
@dataclass(frozen=True, slots=True)
class Prune(Technique):
    """Set the smallest weights of convolutions and dense layers to zero while training on.

    `sparsity` is the share of zeros in each layer, 0 to 0.98; `per_layer` states others by layer
    name (0 leaves a layer alone). `pattern` is `unstructured` (any weight), `block` (runs of
    `block` neighbouring input channels of one output) or `2:4` (two of each four input channels;
    the share is then one half). Generated code skips `block` zeros; the other patterns pay in size
    or speed only where the report says so, so prefer `prune-channels` on a microcontroller.

    `schedule` is `polynomial` (rising over the first two thirds, as in arXiv:1710.01878) or
    `constant`. With `rewind` the surviving weights start again from the values the recipe began
    with, and are trained once more (lottery ticket, arXiv:1803.03635). `epochs`, `learning_rate`,
    `batch_size` are of the training; `distil` adds the float original as a teacher. Depthwise
    kernels are never pruned: they are small, and their zeros do not pay.
    """

    sparsity: float = 0.5
    pattern: Literal["unstructured", "block", "2:4"] = "unstructured"
    block: int = 4
    schedule: Literal["polynomial", "constant"] = "polynomial"
    per_layer: dict[str, float] = field(default_factory=dict)
    epochs: int = 6
    learning_rate: float = 1e-3
    batch_size: int = 32
    rewind: bool = False
    distil: bool = False

    trains = True

    def problem(self) -> str:
        """Return what is wrong with the parameters as a sentence, or nothing."""
        for name, share in {"sparsity": self.sparsity, **self.per_layer}.items():
            if not 0.0 <= share <= 0.98:
                return f"{name}: a share of zeros from 0 to 0.98 wanted, got {share:g}"
        if self.pattern == "2:4" and (self.sparsity != 0.5 or self.per_layer):
            return "the pattern 2:4 has a sparsity of 0.5 in every layer"
        if self.epochs < 1 or self.batch_size < 1 or self.learning_rate <= 0:
            return "epochs, batch_size and learning_rate must be positive"
        return "" if self.block > 1 or self.pattern != "block" else "block: 2 or more wanted"

    def run(self, work: Work) -> None:
        """Train with masks and leave the pruned model."""
        from edgec.pipeline.compress.sparsity import prune

        prune(work, self)
