"""LOG: natural logarithm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgec.codegen import lookup
from edgec.codegen.registry import Io, register
from edgec.codegen.unary import Unary, in_double
from edgec.pipeline.graph import Array


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Log(Unary):
    """Natural logarithm of each element; int8 values that are not positive give the minimum."""

    builtin: ClassVar[str] = "LOG"
    kernel: ClassVar[str] = "edgec_log_float32"

    def real(self, x: Array) -> Array:
        """Round once."""
        return in_double(np.log, x)

    def table(self, io: Io) -> Array:
        """Go through float32; TFLite kernels/elementwise.cc, LogLUTPrepare."""

        def log_or_least(x: Array) -> Array:
            steps = np.float32(io.y.dtype.range[0] - io.y.q.zero_point)
            return np.where(x <= 0, steps * np.float32(io.y.q.scale), self.real(x))

        return lookup.of_real_function(io.x, io.y, log_or_least)
