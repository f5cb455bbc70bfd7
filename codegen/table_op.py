"""Several functions of single int8 values, merged into one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import lookup
from edgec.codegen.constraints import inputs
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array


def bytes_of_bytes(op: KernelOp, io: Io) -> bool:
    """Input and output are 8-bit, with one scale each."""
    return lookup.is_8_bit(io.x) and lookup.is_8_bit(io.y)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOp(KernelOp):
    """The output for each of the input's 256 bytes; rewrites make it, no file has it."""

    builtin: ClassVar[str] = "TABLE"
    constraints: ClassVar[tuple[Any, ...]] = (inputs(1), bytes_of_bytes)
    banded: ClassVar[bool] = True

    table: bytes

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Refuse: the op is no TFLite builtin."""
        raise UnsupportedModelError("TABLE is not an operator of TFLite files")

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the input's shape."""
        return (io.x.shape,)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Look up."""
        entries = np.frombuffer(self.table, np.uint8)
        return (lookup.apply(entries, np.asarray(inputs[0]), io.y),)

    def lower(self, io: Io) -> Step:
        """Return the table kernel."""
        return lookup.step(np.frombuffer(self.table, np.uint8), io)
