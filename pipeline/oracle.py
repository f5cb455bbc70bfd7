"""What a model must answer: the reference interpreter of each rounding profile.

`tflite` is the pinned LiteRT with its reference kernels, run on the file itself. `tflm` has no
interpreter in Python: its oracle is the numpy reference of every op, which is checked against the
recorded hashes of TFLite Micro.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, Protocol

import numpy as np

from edgec.codegen.ops.gather import Gather
from edgec.codegen.registry import Io, as_kernel_op
from edgec.pipeline.errors import ToolMissingError, UnsupportedModelError
from edgec.pipeline.graph import Array, DType, Graph, Interface, Op, Rounding, Tensor

Sample = Sequence[Array]
Kernels = Literal["reference", "default"]


class Oracle(Protocol):
    """A reference interpreter of one model."""

    name: str

    def run(self, sample: Sample) -> list[Array]:
        """Return the outputs for one sample of every input, state cleared before."""


def open_oracle(model: bytes, graph: Graph, rounding: Rounding) -> Oracle:
    """Return the oracle of a `.tflite` file (whose graph is `graph`) under a rounding profile.

    A model with an op (or a version of one) that LiteRT has no reference kernel for is compared
    with numpy too; the oracle's name, which every report shows, then says so.
    """
    if rounding is Rounding.TFLM:
        return NumpyOracle(graph)
    if any(_widens(graph, op) for op in graph.ops):
        return NumpyOracle(graph, "numpy references (LiteRT has none for QUANTIZE int8 to int16)")
    try:
        return LiteRtOracle(model)
    except _NoKernelError as error:
        return NumpyOracle(graph, f"numpy references (LiteRT has none for {error.op})")


def _widens(graph: Graph, op: Op) -> bool:
    ends = (graph[op.inputs[0]].dtype, graph[op.outputs[0]].dtype)
    return op.builtin == "QUANTIZE" and ends == (DType.INT8, DType.INT16)


class _NoKernelError(UnsupportedModelError):
    """LiteRT has no reference kernel for an op of the model."""

    def __init__(self, op: str) -> None:
        super().__init__(f"the reference interpreter has no kernel for {op}")
        self.op = op


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what a library writes to the standard error of the process from the user."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


class LiteRtOracle:
    """The LiteRT interpreter, with its reference kernels or those it runs by default."""

    def __init__(
        self, model: bytes, kernels: Literal["reference", "default"] = "reference"
    ) -> None:
        if importlib.util.find_spec("ai_edge_litert") is None:
            raise ToolMissingError(
                "the reference interpreter is not installed", "pip install ai-edge-litert"
            )
        how = "reference" if kernels == "reference" else "XNNPACK"
        self.name = f"LiteRT, {how} kernels"
        self.interpreter = self._open(model, kernels)

    @staticmethod
    def _open(model: bytes, kernels: Kernels) -> Any:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        resolver = OpResolverType.BUILTIN_REF if kernels == "reference" else OpResolverType.AUTO
        try:
            with _quiet():
                interpreter = Interpreter(
                    model_content=model, num_threads=1, experimental_op_resolver_type=resolver
                )
                interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            missing = re.search(r"Didn't find op for builtin opcode '(\w+)'", str(error))
            if missing is not None:
                raise _NoKernelError(missing[1]) from error
            raise UnsupportedModelError(
                f"the reference interpreter refuses the model: {error}"
            ) from error
        return interpreter

    def run(self, sample: Sample) -> list[Array]:
        """Return the outputs for one sample of every input, state cleared before."""
        interpreter = self.interpreter
        interpreter.reset_all_variables()
        for detail, value in zip(interpreter.get_input_details(), sample, strict=True):
            interpreter.set_tensor(detail["index"], value)
        interpreter.invoke()
        return [
            np.asarray(interpreter.get_tensor(detail["index"]))
            for detail in interpreter.get_output_details()
        ]


def litert_ports(model: bytes, name: str) -> Graph:
    """Return a graph without ops that has the inputs and outputs LiteRT sees in a `.tflite`."""
    interpreter = LiteRtOracle(model, "default").interpreter
    ends = []
    for details in (interpreter.get_input_details(), interpreter.get_output_details()):
        ends.append([_port(detail) for detail in details])
    names = [tuple(tensor.name for tensor in tensors) for tensors in ends]
    tensors = {tensor.name: tensor for tensors in ends for tensor in tensors}
    return Graph(name, names[0], names[1], tensors, ())


def _port(detail: Any) -> Tensor:
    dtype = np.dtype(detail["dtype"]).name
    if dtype not in {known.value for known in DType}:
        raise UnsupportedModelError(f"{detail['name']}: type {dtype} is not supported")
    return Tensor(detail["name"], tuple(map(int, detail["shape"])), DType(dtype))


class NumpyOracle:
    """The numpy references of the graph's ops, in its rounding profile."""

    def __init__(self, graph: Graph, name: str = "numpy references") -> None:
        self.name = name
        if any(t.variable for t in graph.tensors.values()):
            raise UnsupportedModelError(
                "a model with recurrent state has no oracle under --rounding tflm",
                "use --rounding tflite",
            )
        self.graph = graph

    def run(self, sample: Sample) -> list[Array]:
        """Return the outputs for one sample of every input."""
        values = self.tensors(sample)
        return [values[name] for name in self.graph.outputs]

    def tensors(self, sample: Sample) -> dict[str, Array]:
        """Return every tensor of the model for one sample, by name."""
        graph = self.graph
        values: dict[str, Array] = dict(zip(graph.inputs, sample, strict=True))
        for op in graph.ops:
            io = Io.of(graph, op)
            args = (None if t is None else values.get(t.name, t.data) for t in io.inputs)
            results = as_kernel_op(op).reference(io, *args)
            values |= dict(zip(op.outputs, results, strict=True))
        return values


def random_sample(ports: Interface, seed: int) -> list[Array]:
    """Return one reproducible sample of every input of a model.

    The generator is the 32-bit LCG s = s * 1664525 + 1013904223 from `seed`, whose top byte is an
    int8, and top half an int16; float32 inputs are that byte over 128, so in [-1, 1). int32 and
    int64 inputs are the top half modulo the rows that a GATHER picks from by them, or else, and
    where the ops are unknown, its highest bit, as of a mask.
    """
    state = seed
    sample: list[Array] = []
    for name in ports.inputs:
        tensor = ports[name]
        stream = np.empty(tensor.size, np.uint16)
        for index in range(tensor.size):
            state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
            stream[index] = state >> 16
        if tensor.dtype in (DType.INT32, DType.INT64):
            rows = _rows_picked(ports, name) if isinstance(ports, Graph) else 0
            values = stream % rows if rows else stream >> 15
            sample.append(values.astype(tensor.dtype.numpy).reshape(tensor.shape))
        else:
            sample.append(_as_input(stream, tensor.dtype).reshape(tensor.shape))
    return sample


def _rows_picked(graph: Graph, indices: str) -> int:
    """Return the fewest rows that a GATHER picks from by these indices; 0 if none does."""
    found: list[int] = []
    for op in graph.consumers().get(indices, ()):
        if isinstance(op, Gather) and op.inputs[1] == indices:
            found.append(min(graph[op.inputs[0]].shape[op.axis], 1 << 16))
        elif op.builtin in ("CAST", "EXPAND_DIMS", "RESHAPE", "SQUEEZE"):
            found.append(_rows_picked(graph, op.outputs[0]))
    return min((rows for rows in found if rows), default=0)


def _as_input(halves: Array, dtype: DType) -> Array:
    if dtype is DType.INT16:
        return halves.view(np.int16)
    values = (halves >> 8).astype(np.uint8).view(np.int8)
    if dtype is DType.FLOAT32:
        return values.astype(np.float32) / np.float32(128)
    if dtype is DType.BOOL:
        return values < 0
    if dtype is DType.UINT8:
        return values.view(np.uint8)
    return np.asarray(values, dtype.numpy)
