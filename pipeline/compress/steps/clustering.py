"""Weight clustering through TF-MOT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edgec.pipeline.compress.technique import Technique, technique
from edgec.pipeline.compress.work import Work


@technique("cluster")
@dataclass(frozen=True, slots=True)
class Cluster(Technique):
    """Let the weights of each convolution and dense layer take only a few values.

    A weight is then stored as an index of at most 4 bits into a codebook: about 0.6 of the
    layer's flash, for a few more instructions in convolutions and many more in dense layers,
    which `optimize = speed` avoids. Zeros of an earlier `prune` stay zeros. Follow it with `qat`,
    which keeps the values.

    clusters: how many values, 2 to 16.
    start: how they are found: `kmeans++`, `linear` or `density`.
    epochs: how long to train the values, 1 or more.
    learning_rate: Adam's at the start.
    batch_size: samples a training step, 1 or more.
    distil: learn from the recipe's float model as well as from the labels.

    Depthwise kernels are never clustered: they are small.

    Cost: the training.
    """

    clusters: int = 16
    start: Literal["kmeans++", "linear", "density"] = "kmeans++"
    epochs: int = 4
    learning_rate: float = 5e-4
    batch_size: int = 32
    distil: bool = False

    trains = True

    def problem(self) -> str:
        """Return what is wrong with the parameters as a sentence, or nothing."""
        if not 2 <= self.clusters <= 16:
            return f"clusters: 2 to 16 wanted, got {self.clusters}"
        if self.epochs < 1 or self.batch_size < 1 or self.learning_rate <= 0:
            return "epochs, batch_size and learning_rate must be positive"
        return ""

    def run(self, work: Work) -> None:
        """Train with shared weights and leave the clustered model."""
        from edgec.pipeline.compress.shared_weights import cluster

        cluster(work, self)
