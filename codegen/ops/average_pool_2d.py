"""AVERAGE_POOL_2D: mean over a window, the border left out of the count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgec.codegen.pooling import Pool
from edgec.codegen.products import clamp_float
from edgec.codegen.quantmath import activation_range
from edgec.codegen.registry import Io, register
from edgec.pipeline.graph import Array, DType


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class AveragePool2D(Pool):
    """Mean of the window's elements that lie inside; int8 rounds halves away from zero."""

    builtin: ClassVar[str] = "AVERAGE_POOL_2D"

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Sum and divide by the count of elements inside."""
        x = np.asarray(inputs[0])
        kind = np.float64 if io.x.dtype is DType.FLOAT32 else np.int64
        total = self.window.taps(x.astype(kind), 0).sum(axis=(3, 4))
        count = self.window.taps(np.ones(x.shape, kind), 0).sum(axis=(3, 4))
        if io.x.dtype is DType.FLOAT32:
            return (clamp_float(total / count, self.activation),)
        half = count // 2
        mean = np.where(total > 0, total + half, total - half)
        mean = np.sign(mean) * (np.abs(mean) // count)
        return (np.clip(mean, *activation_range(self.activation, io.y)).astype(np.int8),)
