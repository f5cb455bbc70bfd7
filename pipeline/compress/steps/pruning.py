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

    Generated code skips zeros of the pattern `block`, which saves flash and time; the other
    patterns save flash alone, where many are zero. `prune-channels` saves more of both.

    sparsity: share of zeros in each layer, 0 to 0.98.
    pattern: `unstructured`: any weight. `block`: blocks of weights together. `2:4`: two of each
        four input channels, so half of all.
    block: input and output channels of a block; [4, 4] is what SIMD kernels skip best, [1, 4]
        what TF-MOT calls blocks.
    schedule: `polynomial`: rising over the first two thirds (arXiv:1710.01878), or `constant`.
    per_layer: other shares by layer name, 0 to leave a layer alone.
    epochs: how long to train, 1 or more.
    learning_rate: Adam's at the start.
    batch_size: samples a training step, 1 or more.
    rewind: give the weights that are left the values that the recipe began with, and train them
        once more (lottery ticket, arXiv:1803.03635).
    distil: learn from the recipe's float model as well as from the labels.

    Depthwise kernels are never pruned: they are small, and their zeros do not pay.

    Cost: the training, twice with `rewind`.
    """

    sparsity: float = 0.5
    pattern: Literal["unstructured", "block", "2:4"] = "unstructured"
    block: tuple[int, ...] = (4, 4)
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
        if len(self.block) != 2 or min(self.block) < 1 or max(self.block) < 2:
            return f"block: [inputs, outputs] of at least 2 weights wanted, got {list(self.block)}"
        return ""

    def run(self, work: Work) -> None:
        """Train with masks and leave the pruned model."""
        from edgec.pipeline.compress.sparsity import prune

        prune(work, self)
