"""Functions of 8-bit values as tables of 256 bytes, one for every input byte."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edgec.codegen.registry import Const, Io, Step
from edgec.pipeline.graph import Array, DType, Tensor

KERNEL = "edgec_lookup_int8"


def codes(tensor: Tensor) -> Array:
    """Return the value that each of the bytes 0 .. 255 has in an 8-bit tensor, as int64."""
    return np.arange(256, dtype=np.uint8).view(tensor.dtype.numpy).astype(np.int64)


def saturate(values: Array, tensor: Tensor) -> Array:
    """Return values clamped to an 8-bit tensor's type."""
    return np.clip(values, *tensor.dtype.range).astype(tensor.dtype.numpy)


def apply(table: Array, x: Array, tensor: Tensor) -> Array:
    """Return the table's entries for 8-bit values, as the output tensor's type."""
    return np.asarray(table[x.view(np.uint8)]).view(tensor.dtype.numpy)


def step(table: Array, io: Io) -> Step:
    """Return the call of the table kernel."""
    entries = Const(table.view(np.uint8), "(256) output byte of every input byte")
    return Step(KERNEL, {"table": entries, "size": io.x.size}, in_place=(0,))


def of_real_function(x: Tensor, y: Tensor, function: Callable[[Array], Array]) -> Array:
    """Return the table of a float32 function between two quantised tensors.

    Source: TFLite `kernels/internal/common.h`, LUTPopulateInt8: all of it in float32.
    Values beyond int32 saturate, as the pinned interpreter has it.
    """
    with np.errstate(all="ignore"):
        real = np.float32(x.q.scale) * (codes(x) - x.q.zero_point).astype(np.float32)
        scaled = function(real) * (np.float32(1.0) / np.float32(y.q.scale))
        sums = round_half_away(scaled) + np.float32(y.q.zero_point)
    return saturate(np.nan_to_num(sums), y)


def round_half_away(x: Array) -> Array:
    """Return float32 values rounded to whole numbers, halves away from zero (C's `roundf`)."""
    wide = x.astype(np.float64)
    return np.copysign(np.floor(np.abs(wide) + 0.5), wide).astype(np.float32)


def is_8_bit(tensor: Tensor) -> bool:
    """Return whether a tensor holds int8 or uint8 with one scale and zero point."""
    kinds = (DType.INT8, DType.UINT8)
    return tensor.dtype in kinds and tensor.quant is not None and not tensor.q.per_channel
