"""RSQRT: 1 / sqrt(x)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgec.codegen import lookup
from edgec.codegen.inverse_root import inverse_root
from edgec.codegen.quantmath import quantize_multiplier, requantize_double
from edgec.codegen.registry import Io, register
from edgec.codegen.unary import Unary
from edgec.pipeline.graph import Array

HEADROOM = 20
"""Fraction bits that the integer square root is computed with."""


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Rsqrt(Unary):
    """Inverse square root of each element; int8 values that are not positive give 127."""

    builtin: ClassVar[str] = "RSQRT"
    kernel: ClassVar[str] = "edgec_rsqrt_float32"

    def real(self, x: Array) -> Array:
        """Take the root and divide in float32."""
        return np.float32(1.0) / np.sqrt(x)

    def table(self, io: Io) -> Array:
        """Compute in fixed point; TFLite kernels/elementwise.cc, RsqrtEvalQuantizedInt8.

        The source stops with an error at negative inputs; here they count as zero.
        """
        with np.errstate(over="ignore"):
            root = float(np.sqrt(np.float32(io.x.q.scale)) * np.float32(io.y.q.scale))
        smallest = float(np.finfo(np.float32).smallest_subnormal)
        multiplier, shift = quantize_multiplier(1.0 / max(root, smallest))
        out = np.full(256, 127, np.int64)
        for byte, value in enumerate((lookup.codes(io.x) - io.x.q.zero_point).tolist()):
            if value > 0:
                factor, exponent = inverse_root(value)
                data = requantize_double(np.ones((), np.int64), factor, exponent + HEADROOM)
                scaled = requantize_double(data, multiplier, shift - HEADROOM)
                out[byte] = int(scaled) + io.y.q.zero_point
        return lookup.saturate(out, io.y)
