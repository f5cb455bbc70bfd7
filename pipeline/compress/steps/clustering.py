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

    `clusters` is how many, 2 to 16, so that a weight is stored as an index of at most 4 bits into a
    codebook: about half the flash of the layer, for a few more instructions. `start` is how the
    values are found: `kmeans++`, `linear` or `density`. Zeros of an earlier `prune` stay zeros.
    `epochs`, `learning_rate`, `batch_size` are of the training that moves the values;
    `distil` adds the float original as a teacher. Depthwise kernels are never clustered: they
    are small. Follow it with `qat`, which keeps the clusters.
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
