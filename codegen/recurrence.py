"""An LSTM cell as a TFLite operator has it: its inputs, its limits and its arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from edgec.codegen.quantmath import quantize_multiplier
from edgec.codegen.registry import Io, KernelOp
from edgec.pipeline.graph import Array, DType, Quant, Rounding, Tensor

INPUT_WEIGHTS = range(1, 5)
RECURRENT_WEIGHTS = range(5, 9)
BIASES = range(12, 16)
STATE, CELL = 18, 19
GATE_SCALE = 2.0**-12
"""Scale of an int8 cell's gates before their activation."""


def plain_cell(op: KernelOp, io: Io) -> bool:
    """There are 20 or 24 inputs: four gates and the states, no peephole, projection or norm."""
    there = {0, *INPUT_WEIGHTS, *RECURRENT_WEIGHTS, *BIASES, STATE, CELL}
    return len(io.inputs) in (20, 24) and all(
        (tensor is not None) == (position in there) for position, tensor in enumerate(io.inputs)
    )


def gate_types(op: KernelOp, io: Io) -> bool:
    """All is float32; or all is int8 with one scale each, biases int32 and the cell state int16.

    Weights and the cell state have zero point 0.
    """
    weights = matrices(io, INPUT_WEIGHTS) + matrices(io, RECURRENT_WEIGHTS)
    biases, cell = matrices(io, BIASES), io.input(CELL)
    bytes_ = (io.x, io.y, io.input(STATE), *weights)
    if io.x.dtype is DType.FLOAT32:
        return all(t.dtype is DType.FLOAT32 for t in (*bytes_, *biases, cell))
    if not all(t.dtype is DType.INT8 for t in bytes_) or cell.dtype is not DType.INT16:
        return False
    scaled = all(t.quant and not t.quant.per_channel for t in (*bytes_, cell))
    return (
        scaled
        and all(t.dtype is DType.INT32 for t in biases)
        and not any(t.q.zero_point for t in (*weights, cell))
    )


def weights_are_constant(op: KernelOp, io: Io) -> bool:
    """Weights and biases are constant, and the states are variables."""
    positions = (*INPUT_WEIGHTS, *RECURRENT_WEIGHTS, *BIASES)
    fixed = all(t.data is not None for t in matrices(io, positions))
    return fixed and io.input(STATE).variable and io.input(CELL).variable


def sizes_fit(op: KernelOp, io: Io) -> bool:
    """Weights are (units, in) and (units, units), biases (units), states (batch, units)."""
    units = io.input(INPUT_WEIGHTS[0]).shape[0]
    batch = io.x.shape[1 if getattr(op, "time_major", False) else 0]
    wanted = {
        **dict.fromkeys(INPUT_WEIGHTS, (units, io.x.shape[2])),
        **dict.fromkeys(RECURRENT_WEIGHTS, (units, units)),
        **dict.fromkeys(BIASES, (units,)),
        **dict.fromkeys((STATE, CELL), (batch, units)),
    }
    return all(io.input(position).shape == shape for position, shape in wanted.items())


def cell_state_is_power_of_two(op: KernelOp, io: Io) -> bool:
    """An int16 cell state has a scale of 2**-15 to 2**-9."""
    return io.x.dtype is DType.FLOAT32 or 0 <= cell_bits(io) <= 6


def hidden_is_quantised(op: KernelOp, io: Io) -> bool:
    """An int8 cell has five intermediate tensors, the last with scale and zero point."""
    hidden: Quant | None = getattr(op, "hidden", None)
    return io.x.dtype is DType.FLOAT32 or (hidden is not None and not hidden.per_channel)


def gates_fit_int32(op: KernelOp, io: Io) -> bool:
    """The sum of a gate's products fits 32 bits for every input."""
    if io.x.dtype is DType.FLOAT32:
        return True
    bias = np.abs(stacked(io, BIASES).astype(np.float64))
    inner, outer = (
        np.abs(stacked(io, positions).astype(np.float64)).sum(axis=2)
        for positions in (INPUT_WEIGHTS, RECURRENT_WEIGHTS)
    )
    return bool(np.all(bias + 384 * inner < 2**31) and np.all(384 * outer < 2**31))


def lite_rounding(op: KernelOp, io: Io) -> bool:
    """int8 cells are computed as LiteRT does; the tflm profile does not have them."""
    return io.x.dtype is DType.FLOAT32 or op.rounding is Rounding.TFLITE


def matrices(io: Io, positions: Sequence[int]) -> tuple[Tensor, ...]:
    """Return several inputs."""
    return tuple(io.input(position) for position in positions)


def stacked(io: Io, positions: Sequence[int]) -> Array:
    """Return the data of the four gates' constants as one array, gate first."""
    return np.stack([io.input(position).values for position in positions])


def cell_bits(io: Io) -> int:
    """Return the integer bits of an int16 cell state, -1 where its scale is no power of two."""
    mantissa, exponent = math.frexp(io.input(CELL).q.scale)
    return exponent - 1 + 15 if mantissa == 0.5 else -1


def folded(zero_point: int, weights: Array, bias: Array | int) -> Array:
    """Return the biases (gate, unit) with the zero point of what is multiplied folded in."""
    return np.asarray(bias - zero_point * weights.astype(np.int64).sum(axis=2))


def gate_multipliers(source: Tensor, weights: Sequence[Tensor]) -> list[tuple[int, int]]:
    """Return (multiplier, shift) of each gate's products, in float32 as TFLite computes them.

    Source: TFLite kernels/unidirectional_sequence_lstm.cc, PopulateQuantizedLstmParams8x8_16.
    """
    scale = np.float32(source.q.scale)
    return [
        quantize_multiplier(float(np.float32(w.q.scale) * scale / np.float32(GATE_SCALE)))
        for w in weights
    ]


def hidden_multiplier(hidden: Quant) -> tuple[int, int]:
    """Return (multiplier, shift) from the product of two Q0.15 to the hidden value."""
    return quantize_multiplier(float(np.float32(2.0**-15 / hidden.scale * 2.0**-15)))


def quantised_clip(clip: float, cell: Tensor) -> int:
    """Return the cell clip in the cell state's scale, 0 where there is none."""
    return int(min(np.float32(clip) / np.float32(cell.q.scale), np.float32(32767.0)))
