"""UNIDIRECTIONAL_SEQUENCE_LSTM: what Keras' LSTM layer becomes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import recurrence
from edgec.codegen.constraints import rank
from edgec.codegen.fixedpoint16 import logistic, tanh
from edgec.codegen.quantmath import requantize_double, rounding_divide_by_pot
from edgec.codegen.recurrence import BIASES, CELL, INPUT_WEIGHTS, RECURRENT_WEIGHTS, STATE
from edgec.codegen.registry import Const, Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array, DType, Quant

TANH = 4


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class UnidirectionalSequenceLstm(KernelOp):
    """int8 has int16 gates and cell state; the state carries over from inference to inference."""

    builtin: ClassVar[str] = "UNIDIRECTIONAL_SEQUENCE_LSTM"
    constraints: ClassVar[tuple[Any, ...]] = (
        recurrence.plain_cell,
        rank(3, 3),
        recurrence.gate_types,
        recurrence.weights_are_constant,
        recurrence.sizes_fit,
        recurrence.cell_state_is_power_of_two,
        recurrence.hidden_is_quantised,
        recurrence.gates_fit_int32,
        recurrence.lite_rounding,
    )

    time_major: bool
    cell_clip: float
    hidden: Quant | None = None

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read UnidirectionalSequenceLSTMOptions: 0 activation, 1 cell clip, 3 time major.

        Scale and zero point of the hidden value are those of intermediate tensor 4.
        """
        code, clip = node.options.int8(0), node.options.float32(1)
        if code != TANH:
            raise UnsupportedModelError(f"activation code {code}, {TANH} (tanh) wanted")
        if not (math.isfinite(clip) and clip >= 0):
            raise UnsupportedModelError(f"cell clip {clip} is out of range")
        hidden = node.intermediates[4].quant if len(node.intermediates) == 5 else None
        major = node.options.boolean(3)
        return cls(time_major=major, cell_clip=clip, hidden=hidden, **node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return (batch, steps, units), or with steps first as in the input."""
        return ((*io.x.shape[:2], io.input(BIASES[0]).size),)

    def macs(self, io: Io) -> int:
        """Return the products of all gates over all steps."""
        units = io.input(BIASES[0]).size
        return io.x.shape[0] * io.x.shape[1] * 4 * units * (io.x.shape[2] + units)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Compute one inference from the given states; from cleared ones where none are given."""
        exact = io.x.dtype is DType.INT8
        x = np.asarray(inputs[0])
        x = x if self.time_major else x.swapaxes(0, 1)
        state, cell = (inputs[i] if len(inputs) > i else None for i in (STATE, CELL))
        empty = io.input(STATE).shape
        if state is None:
            state = np.full(empty, io.input(STATE).q.zero_point if exact else 0.0)
        cell = np.zeros(empty) if cell is None else cell
        kind = np.int64 if exact else np.float32
        steps, _ = (self._integer_steps if exact else self._float_steps)(
            io, x.astype(kind), state.astype(kind), cell.astype(kind)
        )
        out = steps if self.time_major else steps.swapaxes(0, 1)
        return (out.astype(io.y.dtype.numpy),)

    def _float_steps(self, io: Io, x: Array, state: Array, cell: Array) -> tuple[Array, Array]:
        weights = recurrence.stacked(io, INPUT_WEIGHTS)
        recurrent = recurrence.stacked(io, RECURRENT_WEIGHTS)
        bias = recurrence.stacked(io, BIASES)
        outputs = []
        for row in x:
            gates = (
                np.einsum("gui,bi->gbu", weights, row)
                + np.einsum("gui,bi->gbu", recurrent, state)
                + bias[:, None]
            )
            i, f, o = (1 / (1 + np.exp(-gates[g])) for g in (0, 1, 3))
            cell = f * cell + i * np.tanh(gates[2])
            if self.cell_clip > 0:
                cell = np.clip(cell, -self.cell_clip, self.cell_clip)
            state = o * np.tanh(cell)
            outputs.append(state)
        return np.stack(outputs), cell

    def _integer_steps(self, io: Io, x: Array, state: Array, cell: Array) -> tuple[Array, Array]:
        """Compute as TFLite kernels/lstm_eval.cc, LstmStepInteger8x8_16."""
        fixed = self._integer_constants(io)
        bits = recurrence.cell_bits(io)
        clip = recurrence.quantised_clip(self.cell_clip, io.input(CELL)) or 1 << 15
        hidden = self._hidden
        outputs = []
        for row in x:
            gates = np.zeros((4, *state.shape), np.int64)
            for values, weights, bias, scales in ((row, *fixed[0]), (state, *fixed[1])):
                acc = np.einsum("gui,bi->gbu", weights, values) + bias[:, None]
                scale = np.array(scales)[:, :, None, None]
                gates = _int16(gates + requantize_double(acc, scale[:, 0], scale[:, 1]))
            i, f, o = (logistic(gates[g], 3) for g in (0, 1, 3))
            fresh = rounding_divide_by_pot(i * tanh(gates[2], 3), 15 + bits)
            cell = _int16(rounding_divide_by_pot(f * cell, 15) + fresh)
            cell = np.clip(cell, -clip, clip)
            value = requantize_double(o * tanh(cell, bits), *recurrence.hidden_multiplier(hidden))
            state = np.clip(value + hidden.zero_point, -128, 127)
            outputs.append(state)
        return np.stack(outputs), cell

    @property
    def _hidden(self) -> Quant:
        if self.hidden is None:
            raise UnsupportedModelError("the hidden value is not quantised")
        return self.hidden

    def _integer_constants(self, io: Io) -> list[tuple[Array, Array, list[tuple[int, int]]]]:
        """Return weights, folded bias and multipliers, first for the input, then for the state."""
        rows = []
        for source, positions in ((io.x, INPUT_WEIGHTS), (io.input(STATE), RECURRENT_WEIGHTS)):
            weights = recurrence.stacked(io, positions)
            start = recurrence.stacked(io, BIASES).astype(np.int64) if source is io.x else 0
            bias = recurrence.folded(source.q.zero_point, weights, start)
            matrices = recurrence.matrices(io, positions)
            rows.append((weights, bias, recurrence.gate_multipliers(source, matrices)))
        return rows

    def lower(self, io: Io) -> Step:
        """Return the kernel that goes step by step and unit by unit."""
        shape = io.x.shape
        batches, steps = (shape[1], shape[0]) if self.time_major else shape[:2]
        units, size = io.y.shape[2], shape[2]
        batch_step, time_step = (1, batches) if self.time_major else (steps, 1)
        sizes = {
            "batches": batches,
            "steps": steps,
            "in_size": size,
            "units": units,
            "in_batch_step": batch_step * size,
            "in_time_step": time_step * size,
            "out_batch_step": batch_step * units,
            "out_time_step": time_step * units,
        }
        ends = (0, STATE, CELL)
        if io.x.dtype is DType.FLOAT32:
            arrays = {
                "weights": Const(recurrence.stacked(io, INPUT_WEIGHTS), "(gate, unit, in_size)"),
                "recurrent": Const(recurrence.stacked(io, RECURRENT_WEIGHTS), "(gate, unit, unit)"),
                "bias": Const(recurrence.stacked(io, BIASES), "(gate, unit)"),
            }
            name = "edgec_unidirectional_sequence_lstm_float32"
            return Step(name, {**arrays, **sizes, "cell_clip": self.cell_clip}, inputs=ends)
        (weights, bias, scales), (recurrent, kept_bias, kept) = self._integer_constants(io)
        multiplier, shift = recurrence.hidden_multiplier(self._hidden)
        return Step(
            "edgec_unidirectional_sequence_lstm_int8",
            {
                "weights": Const(weights, "(gate, unit, in_size)"),
                "recurrent": Const(recurrent, "(gate, unit, unit)"),
                "bias": Const(bias.astype(np.int32), "(gate, unit)"),
                "recurrent_bias": Const(kept_bias.astype(np.int32), "(gate, unit)"),
                "multiplier": [m for m, _ in scales],
                "shift": [s for _, s in scales],
                "recurrent_multiplier": [m for m, _ in kept],
                "recurrent_shift": [s for _, s in kept],
                "hidden_multiplier": multiplier,
                "hidden_shift": shift,
                **sizes,
                "cell_clip": recurrence.quantised_clip(self.cell_clip, io.input(CELL)),
                "cell_bits": recurrence.cell_bits(io),
                "hidden_zero_point": self._hidden.zero_point,
            },
            inputs=ends,
        )


def _int16(x: Array) -> Array:
    return np.clip(x, -(2**15), 2**15 - 1)
