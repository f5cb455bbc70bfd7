"""LOG: natural logarithm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from edgec.codegen import lookup
from edgec.codegen.int16_functions import WideFunction, of_real_function
from edgec.codegen.registry import Io, register
from edgec.codegen.unary import WIDE_LIMITS, Unary, in_double
from edgec.pipeline.graph import Array


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Log(Unary):
    """Natural logarithm of each element; int8 values that are not positive give the minimum."""

    builtin: ClassVar[str] = "LOG"
    constraints: ClassVar[tuple[Any, ...]] = WIDE_LIMITS
    kernel: ClassVar[str] = "edgec_log_float32"

    def real(self, x: Array) -> Array:
        """Round once."""
        return in_double(np.log, x)

    def table(self, io: Io) -> Array:
        """Go through float32; TFLite kernels/elementwise.cc, LogLUTPrepare."""
        return lookup.of_real_function(io.x, io.y, self._or_least(io))

    def wide(self, io: Io) -> WideFunction:
        """Go through float32 at 513 points."""
        return of_real_function(io.x, io.y, self._or_least(io))

    def _or_least(self, io: Io) -> Callable[[Array], Array]:
        def log_or_least(x: Array) -> Array:
            steps = np.float32(io.y.dtype.range[0] - io.y.q.zero_point)
            return np.where(x <= 0, steps * np.float32(io.y.q.scale), self.real(x))

        return log_or_least
