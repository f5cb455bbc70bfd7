"""MAX_POOL_2D: largest value in a window, the border left out."""

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
class MaxPool2D(Pool):
    """Maximum of the window's elements that lie inside."""

    builtin: ClassVar[str] = "MAX_POOL_2D"

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Take the maximum and clamp it."""
        x = np.asarray(inputs[0])
        if io.x.dtype is DType.FLOAT32:
            lowest = float(np.finfo(np.float32).min)
            return (clamp_float(self.window.taps(x, lowest).max(axis=(3, 4)), self.activation),)
        largest = self.window.taps(x, io.x.dtype.range[0]).max(axis=(3, 4))
        return (
            np.clip(largest, *activation_range(self.activation, io.y)).astype(io.y.dtype.numpy),
        )
