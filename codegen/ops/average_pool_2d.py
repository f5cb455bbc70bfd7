"""AVERAGE_POOL_2D: mean over a window, the border left out of the count."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from edgec.codegen import vector_sum
from edgec.codegen.pooling import Pool
from edgec.codegen.products import clamp_float
from edgec.codegen.quantmath import activation_range
from edgec.codegen.registry import Cost, Io, Step, register
from edgec.codegen.vector_image import has_vectors
from edgec.pipeline.graph import Array, DType

_MOST_PIXELS = 255
"""As many bytes as surely add up to 16 bits."""


def sum_fits(op: AveragePool2D, io: Io) -> bool:
    """A window of int16 has at most 32767 elements."""
    return io.x.dtype is not DType.INT16 or math.prod(op.window.kernel) <= 32767


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class AveragePool2D(Pool):
    """Mean of the window's elements that lie inside; int8 rounds halves away from zero."""

    builtin: ClassVar[str] = "AVERAGE_POOL_2D"
    constraints: ClassVar[tuple[Any, ...]] = (*Pool.constraints, sum_fits)

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
        return (np.clip(mean, *activation_range(self.activation, io.y)).astype(io.y.dtype.numpy),)

    def lower(self, io: Io) -> Step:
        """Return the window-by-window kernel; where there is a choice, with its cost."""
        step = Pool.lower(self, io)
        if io.x.dtype is not DType.INT8:
            return step
        high, wide = self.window.kernel
        return replace(step, cost=Cost(io.y.size * (32 + 8 * high + 5 * high * wide), 0))

    def variants(self, io: Io, features: frozenset[str]) -> tuple[Step, ...]:
        """Return the kernel of cores with vectors, or MVE: int8 windows that add up to 16 bits."""
        if io.x.dtype is DType.FLOAT32:
            return Pool.variants(self, io, features)
        if has_vectors(features) and io.x.dtype is DType.INT8:
            found = vector_sum.pool(io, self.window, self.lower(io).params)
            return () if found is None else (found,)
        pixels = self.window.kernel[0] * self.window.kernel[1]
        if "mve" not in features or io.x.dtype is not DType.INT8 or pixels > _MOST_PIXELS:
            return ()
        channels = io.x.shape[3]
        each = 40 + -(-channels // 16) * (35 + 8 * pixels) + 14 * channels
        cost = Cost(io.y.size // channels * each, 0)
        return (replace(self.lower(io), kernel="edgec_average_pool_2d_int8_mve", cost=cost),)
