"""What the functions of one tensor, element by element, have in common."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import float_vectors, lookup
from edgec.codegen.constraints import (
    inputs,
    int8_or_float32,
    integers_or_float32,
    symmetric_int16,
)
from edgec.codegen.int16_functions import WideFunction, of_real_function
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step, Value
from edgec.pipeline.graph import Array, DType

WIDE_LIMITS = (inputs(1), integers_or_float32, symmetric_int16)
"""The constraints of functions that take int16, too."""


def float32_only(op: KernelOp, io: Io) -> bool:
    """Input and output are float32."""
    return io.x.dtype is DType.FLOAT32 and io.y.dtype is DType.FLOAT32


class Unary(KernelOp):
    """A function of one tensor: int8 through a table, float32 by a kernel of its own."""

    __slots__ = ()

    constraints: ClassVar[tuple[Any, ...]] = (inputs(1), int8_or_float32)
    banded: ClassVar[bool] = True
    kernel: ClassVar[str]
    float_cost: ClassVar[int] = 40
    """About how many instructions the float32 kernel takes for an element."""

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read an op that has no options."""
        return cls(**node.ends)

    @abstractmethod
    def real(self, x: Array) -> Array:
        """Return the function of float32 values, rounded to float32 where the oracle rounds."""

    def table(self, io: Io) -> Array:
        """Return the output for each input byte; through float32 unless an op overrides it."""
        return lookup.of_real_function(io.x, io.y, self.real)

    def wide(self, io: Io) -> WideFunction:
        """Return the function of int16 elements, which ops with `WIDE_LIMITS` have.

        Through float32 at 513 points, interpolated, unless an op overrides it.
        """
        return of_real_function(io.x, io.y, self.real)

    @property
    def fields(self) -> dict[str, Value]:
        """The float32 kernel's parameters beside the size."""
        return {}

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the input's shape."""
        return (io.x.shape,)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Apply the function, or its table."""
        x = np.asarray(inputs[0])
        if io.x.dtype is DType.FLOAT32:
            with np.errstate(all="ignore"):
                return (self.real(x),)
        if io.x.dtype is DType.INT16:
            return (self.wide(io).apply(x),)
        return (lookup.apply(self.table(io), x, io.y),)

    def lower(self, io: Io) -> Step:
        """Return the table kernel for int8, the function's own kernel for float32."""
        if io.x.dtype is DType.FLOAT32:
            step = Step(self.kernel, {**self.fields, "size": io.x.size}, in_place=(0,))
            return float_vectors.plain_cost(step, self.float_cost * io.x.size)
        if io.x.dtype is DType.INT16:
            return self.wide(io).step(io)
        return lookup.step(self.table(io), io)


def in_double(function: Any, x: Array) -> Array:
    """Return a numpy function of float32 values, computed in double and rounded once.

    numpy's own float32 functions differ from one processor to the next.
    """
    return np.asarray(function(x.astype(np.float64)), np.float64).astype(np.float32)
