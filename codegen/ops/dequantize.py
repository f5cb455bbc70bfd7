"""DEQUANTIZE: int8, uint8 or int16 to float32."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen.constraints import inputs
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.graph import Array, DType


def known_types(op: KernelOp, io: Io) -> bool:
    """int8, uint8 or int16 with one scale and zero point becomes float32."""
    kinds = (DType.INT8, DType.UINT8, DType.INT16)
    quantised = io.x.quant is not None and not io.x.q.per_channel
    return io.x.dtype in kinds and quantised and io.y.dtype is DType.FLOAT32


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Dequantize(KernelOp):
    """scale * (x - zero point)."""

    builtin: ClassVar[str] = "DEQUANTIZE"
    constraints: ClassVar[tuple[Any, ...]] = (inputs(1), known_types)

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read an op that has no options."""
        return cls(**node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the input's shape."""
        return (io.x.shape,)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Multiply, rounding once."""
        centred = np.asarray(inputs[0]).astype(np.int64) - io.x.q.zero_point
        return ((io.x.q.scale * centred).astype(np.float32),)

    def lower(self, io: Io) -> Step:
        """Return the kernel of the input's width; a flipped top bit makes int8 unsigned."""
        fields: dict[str, int | float] = {"size": io.x.size, "scale": io.x.q.scale}
        zero = io.x.q.zero_point
        if io.x.dtype is DType.INT16:
            return Step("edgec_dequantize_int16", {**fields, "zero_point": zero})
        flip = 128 if io.x.dtype is DType.INT8 else 0
        return Step("edgec_dequantize_int8", {**fields, "zero_point": zero + flip, "flip": flip})
