"""What the firmware must know of a generated library, so that it can run it."""

from __future__ import annotations

from dataclasses import dataclass

from edgec.codegen import mlperf


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """An input or output of the generated function.

    `at` is where in the arena it is kept; None where it has memory of its own. An input of which
    the model asks for its `rows` has memory only in the firmware. `scale` and `zero_point` are
    those of int8 values.
    """

    name: str
    c_type: str
    size: int
    size_bytes: int
    at: int | None = None
    rows: int = 0
    scale: float = 0.0
    zero_point: int = 0

    @property
    def port(self) -> mlperf.Port | None:
        """What MLPerf Tiny must know of it; None where it is not int8."""
        if self.c_type != "int8_t" or not self.scale:
            return None
        return mlperf.Port(self.size, self.scale, self.zero_point)


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What the firmware must know of the generated library.

    `layer_outputs` is how often a profile build calls EDGEC_LAYER in one inference.
    """

    name: str
    sha256: str
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    arena_bytes: int
    layers: int
    layer_outputs: int
    arena_align: int = 16
    has_state: bool = False

    @property
    def io_bytes(self) -> int:
        """Bytes of the model's input and output buffers that are not in the arena."""
        ends = (*self.inputs, *self.outputs)
        return sum(tensor.size_bytes for tensor in ends if tensor.at is None and not tensor.rows)

    @property
    def task(self) -> mlperf.Task | None:
        """The task of MLPerf Tiny that the model's shapes are those of."""
        inputs = [tensor.port for tensor in self.inputs]
        return mlperf.find_task(inputs, [tensor.port for tensor in self.outputs])
