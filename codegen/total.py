"""What SUM and MEAN share: a sum over axes, divided by a constant."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from edgec.codegen import float_vectors, vector_sum
from edgec.codegen.quantmath import quantize_multiplier, requantize_double
from edgec.codegen.reduction import Reduction
from edgec.codegen.registry import Cost, Io, Step, Value
from edgec.codegen.vector_image import has_vectors
from edgec.pipeline.graph import Array, DType


@dataclass(frozen=True, slots=True, kw_only=True)
class Total(Reduction):
    """A sum over axes divided by `divisor`."""

    @abstractmethod
    def divisor(self, io: Io) -> int:
        """Return the positive number the sum is divided by."""

    def multiplier(self, io: Io) -> tuple[int, int]:
        """Return (multiplier, shift) of the int8 sum.

        Source: TFLite reference/reduce.h, QuantizedMeanOrSum: the multiplier is shifted up as far
        as it goes and divided as an integer.
        """
        multiplier, shift = quantize_multiplier(io.x.q.scale / io.y.q.scale)
        divisor = self.divisor(io)
        if divisor == 1:
            return multiplier, shift
        extra = min(divisor.bit_length() - 1, 32, 31 + shift)
        return (multiplier << extra) // divisor, shift - extra

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Sum in the order of the elements, as float32 sums depend on it, then rescale."""
        x = np.asarray(inputs[0])
        if io.x.dtype is DType.FLOAT32:
            kept = [a for a in range(x.ndim) if a not in self.axes]
            rows = x.transpose(*kept, *self.axes).reshape(-1, self.count(io))
            sums = np.cumsum(rows, axis=1, dtype=np.float32)[:, -1]
            return ((sums / np.float32(self.divisor(io))).reshape(io.y.shape),)
        total = (x.astype(np.int64) - io.x.q.zero_point).sum(axis=self.axes).reshape(io.y.shape)
        scaled = requantize_double(total, *self.multiplier(io)) + io.y.q.zero_point
        return (np.clip(scaled, *io.y.dtype.range).astype(io.y.dtype.numpy),)

    def lower(self, io: Io) -> Step:
        """Return the summing kernel."""
        loops = self.loops(io)
        if io.x.dtype is DType.FLOAT32:
            step = Step("edgec_sum_float32", {**loops, "divisor": float(self.divisor(io))})
            return float_vectors.plain_cost(step, 10 * io.x.size)
        multiplier, shift = self.multiplier(io)
        if io.x.dtype is DType.INT16:
            scale: dict[str, Value] = {"multiplier": multiplier, "shift": shift}
            return Step("edgec_sum_int16", {**loops, **scale})
        return Step(
            "edgec_sum_int8",
            {
                **loops,
                "start": -io.x.q.zero_point * self.count(io),
                "multiplier": multiplier,
                "shift": shift,
                "out_zero_point": io.y.q.zero_point,
            },
            cost=Cost(io.y.size * 40 + 9 * io.x.size, 0),
        )

    def variants(self, io: Io, features: frozenset[str]) -> tuple[Step, ...]:
        """Return the kernel of CPUs with vectors: int8 images, float32 over neighbouring axes."""
        if has_vectors(features) and io.x.dtype is DType.INT8:
            whole = vector_sum.total(io, self.axes, self.multiplier(io))
            return () if whole is None else (whole,)
        found = [axis for axis in self.axes if io.x.shape[axis] > 1]
        if not float_vectors.usable(io, features) or not found:
            return ()
        first, last = found[0], found[-1] + 1
        if any(io.x.shape[a] > 1 and a not in self.axes for a in range(first, last)):
            return ()
        outer, reduced, inner = (
            math.prod(io.x.shape[part])
            for part in (slice(first), slice(first, last), slice(last, None))
        )
        return (
            Step(
                "edgec_sum_float32_vector",
                {
                    "outer": outer,
                    "reduced": reduced,
                    "inner": inner,
                    "divisor": float(self.divisor(io)),
                },
                cost=Cost(io.x.size // 4 + 1, 0),
            ),
        )
