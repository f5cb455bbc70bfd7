"""The tasks of MLPerf Tiny: which a model answers, and what its firmware must know for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgec.codegen import cwriter


@dataclass(frozen=True, slots=True)
class Payload:
    """How the benchmark sends a value of the input: one byte, real = scale * (byte - zero)."""

    signed: bool
    scale: float
    zero_point: int


@dataclass(frozen=True, slots=True)
class Task:
    """A task by the benchmark's name of its model; without `payload` the input comes as float32.

    `iterations` and `warmup` are those of the official runner's performance script.
    """

    model: str
    inputs: int
    outputs: int
    payload: Payload | None
    iterations: int
    warmup: int

    @property
    def input_bytes(self) -> int:
        """Bytes of one input on the wire."""
        return self.inputs * (4 if self.payload is None else 1)


@dataclass(frozen=True, slots=True)
class Port:
    """An int8 input or output of a model."""

    size: int
    scale: float
    zero_point: int


# Spectrograms are quantised as the reference model's input is; images are bytes of RGB.
TASKS = (
    Task("kws01", 490, 12, Payload(True, 0.5847029089927673, 83), 70, 10),
    Task("vww01", 96 * 96 * 3, 2, Payload(False, 1 / 255, 0), 20, 5),
    Task("ic01", 32 * 32 * 3, 10, Payload(False, 1.0, 0), 20, 5),
    Task("ad01", 640, 640, None, 1500, 10),
)


def find_task(inputs: Sequence[Port | None], outputs: Sequence[Port | None]) -> Task | None:
    """Return the task whose shapes a model has; None where a port is no int8, or none fits."""
    if len(inputs) != 1 or len(outputs) != 1 or inputs[0] is None or outputs[0] is None:
        return None
    sizes = (inputs[0].size, outputs[0].size)
    return next((task for task in TASKS if sizes == (task.inputs, task.outputs)), None)


def input_map(payload: Payload, port: Port) -> list[int]:
    """Return what the model takes for each byte that the benchmark may send."""
    sent = np.arange(256, dtype=np.uint8)
    steps = (sent.view(np.int8) if payload.signed else sent).astype(np.float64)
    real = (steps - payload.zero_point) * payload.scale
    taken = np.round(real / port.scale) + port.zero_point
    return [int(value) for value in np.clip(taken, -128, 127)]


def header(task: Task | None) -> str:
    """Return the lines of the generated header that size the firmware's input buffer."""
    if task is None:
        return ""
    return f"\n#define EDGEC_MLPERF_BYTES {task.input_bytes}u /* {task.model} */\n"


def source(task: Task | None, inputs: Sequence[Port | None], outputs: Sequence[Port | None]) -> str:
    """Return the definitions of the generated source that `make MLPERF=1` compiles."""
    if task is None or inputs[0] is None or outputs[0] is None:
        return ""
    table = ""
    if task.payload is not None:
        values = cwriter.wrap(str(v) for v in input_map(task.payload, inputs[0]))
        table = f"static const int8_t input_map[256] = {{\n{values}}};\n\n"
    return f"""
#ifdef EDGEC_MLPERF

#include "edgec_mlperf.h"

{table}const edgec_mlperf_task edgec_mlperf = {{
    .model = "{task.model}",
    .map = {"input_map" if table else "NULL"},
    .input_scale = {cwriter.float_literal(inputs[0].scale)},
    .input_zero = {inputs[0].zero_point},
    .output_scale = {cwriter.float_literal(outputs[0].scale)},
    .output_zero = {outputs[0].zero_point},
}};

#endif
"""
