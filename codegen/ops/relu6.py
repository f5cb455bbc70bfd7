"""RELU6: values limited to 0 .. 6."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from edgec.codegen.constraints import same_quantization
from edgec.codegen.rectifier import Rectifier
from edgec.codegen.registry import Io, KernelOp, register
from edgec.codegen.unary import WIDE_LIMITS
from edgec.pipeline.graph import Rounding


def rescales(op: KernelOp, io: Io) -> bool:
    """Under the rounding profile tflm int8 outputs have the input's scale and zero point, as
    TFLite Micro clamps without rescaling.
    """
    return op.rounding is not Rounding.TFLM or same_quantization(op, io)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Relu6(Rectifier):
    """Clamp to 0 .. 6."""

    builtin: ClassVar[str] = "RELU6"
    constraints: ClassVar[tuple[Any, ...]] = (*WIDE_LIMITS, rescales)
    high: ClassVar[float] = 6.0
