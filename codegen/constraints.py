"""Limits that several ops share; each docstring is what the user reads."""

from __future__ import annotations

from collections.abc import Callable

from edgec.codegen.registry import Io, KernelOp
from edgec.pipeline.graph import DType

Constraint = Callable[[KernelOp, Io], bool]


def int8_or_float32(op: KernelOp, io: Io) -> bool:
    """Input and outputs are int8 with one scale and zero point each, or float32."""
    kinds = {io.x.dtype, *(t.dtype for t in io.outputs)}
    if kinds == {DType.FLOAT32}:
        return True
    ends = (io.x, *io.outputs)
    return kinds == {DType.INT8} and all(t.quant and not t.quant.per_channel for t in ends)


def integers_or_float32(op: KernelOp, io: Io) -> bool:
    """Input and outputs are int8 or int16 with one scale and zero point each, or float32.

    The zero points of int16 are 0, which `symmetric_int16` tells.
    """
    kinds = {io.x.dtype, *(t.dtype for t in io.outputs)}
    if kinds == {DType.FLOAT32}:
        return True
    ends = (io.x, *io.outputs)
    alike = len(kinds) == 1 and kinds <= {DType.INT8, DType.INT16}
    return alike and all(t.quant and not t.quant.per_channel for t in ends)


def symmetric_int16(op: KernelOp, io: Io) -> bool:
    """int16 tensors have zero point 0."""
    ends = (*io.present, *io.outputs)
    return all(t.dtype is not DType.INT16 or t.quant is None or t.q.zero_point == 0 for t in ends)


def all_inputs_alike(op: KernelOp, io: Io) -> bool:
    """All inputs have the first input's type, integers with one scale and zero point each."""
    return all(
        t.dtype is io.x.dtype
        and (t.dtype is DType.FLOAT32 or (t.quant is not None and not t.quant.per_channel))
        for t in io.present
    )


def same_quantization(op: KernelOp, io: Io) -> bool:
    """Integer outputs have the input's scale and zero point."""
    return all(
        t.dtype not in (DType.INT8, DType.INT16)
        or (t.quant is not None and io.x.quant is not None
            and (t.q.scale, t.q.zero_point) == (io.x.q.scale, io.x.q.zero_point))
        for t in io.outputs
    )  # fmt: skip


def four_dimensions(op: KernelOp, io: Io) -> bool:
    """Input and output have four dimensions (batch, height, width, channels)."""
    return len(io.x.shape) == 4 and len(io.y.shape) == 4


def at_most_four_dimensions(op: KernelOp, io: Io) -> bool:
    """Tensors have at most four dimensions."""
    return all(len(t.shape) <= 4 for t in (*io.present, *io.outputs))


def batch_one(op: KernelOp, io: Io) -> bool:
    """The batch is 1."""
    return io.x.shape[:1] == (1,)


def has_dimension(op: KernelOp, io: Io) -> bool:
    """The input has at least one dimension."""
    return len(io.x.shape) > 0


def short_rows(op: KernelOp, io: Io) -> bool:
    """The last dimension of an int8 input is at most 4095."""
    return io.x.dtype is DType.FLOAT32 or io.x.shape[-1] <= 4095


def small_dimensions(op: KernelOp, io: Io) -> bool:
    """No dimension is over 32767."""
    return all(d <= 32767 for t in (*io.present, *io.outputs) for d in t.shape)


def constant(position: int, what: str) -> Constraint:
    """Return the constraint that the input at `position`, called `what`, is constant."""

    def is_constant(op: KernelOp, io: Io) -> bool:
        tensor = io.optional(position)
        return tensor is None or tensor.data is not None

    is_constant.__doc__ = f"{what.capitalize()} is constant."
    return is_constant


def inputs(least: int, most: int | None = None) -> Constraint:
    """Return the constraint on how many inputs there are; the first `least` cannot be absent."""
    high = least if most is None else most

    def has_inputs(op: KernelOp, io: Io) -> bool:
        return least <= len(io.inputs) <= high and all(t is not None for t in io.inputs[:least])

    count = str(least) if high == least else f"{least} to {high}"
    has_inputs.__doc__ = f"It takes {count} input{'' if count == '1' else 's'}."
    return has_inputs


def rank(low: int, high: int) -> Constraint:
    """Return the constraint that the first input has `low` to `high` dimensions."""

    def has_rank(op: KernelOp, io: Io) -> bool:
        return low <= len(io.x.shape) <= high

    count = str(low) if high == low else f"{low} to {high}"
    has_rank.__doc__ = f"The input has {count} dimensions."
    return has_rank
