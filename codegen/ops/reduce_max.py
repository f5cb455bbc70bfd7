"""REDUCE_MAX: largest element over axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from edgec.codegen.constraints import same_quantization
from edgec.codegen.reduction import Reduction
from edgec.codegen.registry import Io, Step, register
from edgec.pipeline.graph import Array


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class ReduceMax(Reduction):
    """Maximum of the elements along the axes."""

    builtin: ClassVar[str] = "REDUCE_MAX"
    constraints: ClassVar[tuple[Any, ...]] = (*Reduction.constraints, same_quantization)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Take the maximum."""
        return (np.asarray(inputs[0]).max(axis=self.axes).reshape(io.y.shape),)

    def lower(self, io: Io) -> Step:
        """Return the kernel of the type."""
        return Step(f"edgec_reduce_max_{io.x.dtype.value}", self.loops(io))
