"""Cross-layer equalisation: neighbouring layers share their ranges."""

from __future__ import annotations

from dataclasses import dataclass

from edgec.pipeline.compress.technique import Technique, technique
from edgec.pipeline.compress.work import Work


@technique("equalize")
@dataclass(frozen=True, slots=True)
class Equalize(Technique):
    """Scale the channels between two layers so that all use the range of their tensor alike.

    Where a layer is followed by ReLU or nothing, then by a convolution or dense layer, a channel
    may be made smaller in the first and larger in the second by the same factor: the float model
    answers as before (arXiv:1906.04721, section 4.1), but fewer of its channels vanish in the 8
    bits that all share. It helps models whose channels differ by orders of magnitude, most of all
    with depthwise layers and per-tensor weights. Across ReLU6 it would not be exact, and is not
    done.

    rounds: how often to go over all pairs, 1 or more; a middle layer is in two pairs.

    Cost: a moment; nothing is trained.
    """

    rounds: int = 3

    def problem(self) -> str:
        """Return what is wrong with the parameters."""
        return "" if self.rounds >= 1 else f"rounds is {self.rounds}, 1 or more wanted"

    def run(self, work: Work) -> None:
        """Scale the weights of `work.model` in place."""
        from edgec.pipeline.compress.shared_ranges import equalize

        equalize(work, self)
