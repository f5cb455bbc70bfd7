"""A float `.tflite` taken apart: its layers, what each answers, and copies with changed weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgec.codegen.registry import Io, as_kernel_op
from edgec.pipeline.graph import Array, DType, Rounding
from edgec.pipeline.load import tflite

_WEIGHT_INPUT = 1
_PRUNABLE = ("CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")


@dataclass(frozen=True, slots=True)
class Node:
    """One op that computes: its output's name, the ops that read it, and its weights' name."""

    op: str
    output: str
    readers: tuple[str, ...]
    macs: int
    weights: str | None

    @property
    def label(self) -> str:
        """A short name: the last part of the first of the names that the converter joined."""
        return self.output.split(";")[0]


class FloatFile:
    """A float `.tflite` and its ops in order."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.graph = tflite.parse(content, "model", Rounding.TFLITE)
        readers: dict[str, list[str]] = {}
        for op in self.graph.ops:
            for name in op.inputs:
                readers.setdefault(name, []).append(op.outputs[0])
        self.nodes = []
        for op in self.graph.ops:
            kernel, output = as_kernel_op(op), self.graph[op.outputs[0]]
            if output.dtype is not DType.FLOAT32:
                continue
            weights = op.inputs[_WEIGHT_INPUT] if kernel.builtin in _PRUNABLE else None
            self.nodes.append(
                Node(
                    kernel.builtin,
                    output.name,
                    tuple(readers.get(output.name, ())),
                    kernel.macs(Io.of(self.graph, op)),
                    weights,
                )
            )

    def pruned(self, node: Node, share: float) -> bytes | None:
        """Return the file with the smallest `share` of a node's weights zero; None without any."""
        if node.weights is None or self.graph[node.weights].data is None:
            return None
        values = np.array(self.graph[node.weights].data, np.float32)
        order = np.argsort(np.abs(values), axis=None, kind="stable")
        values.reshape(-1)[order[: round(share * values.size)]] = 0.0
        return self._with_tensor(node.weights, values)

    def _with_tensor(self, name: str, values: Array) -> bytes:
        import flatbuffers
        from ai_edge_litert import schema_py_generated as schema

        model = schema.ModelT.InitFromPackedBuf(self.content)
        tensor = next(t for t in model.subgraphs[0].tensors if t.name.decode() == name)
        model.buffers[tensor.buffer].data = np.frombuffer(values.tobytes(), np.uint8)
        builder = flatbuffers.Builder(len(self.content))
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def activations(content: bytes, inputs: Sequence[Array]) -> dict[str, Array]:
    """Return what every tensor holds for every sample, as real numbers, by tensor name.

    `inputs` has one float32 array an input, samples along axis 0; arrays of the result have them
    along axis 0 too. The file may be float or quantised.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=content,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    collected: dict[str, list[Array]] = {}
    for number in range(len(inputs[0])):
        for port, array in zip(interpreter.get_input_details(), inputs, strict=True):
            interpreter.set_tensor(port["index"], _as_port(array[number : number + 1], port))
        interpreter.invoke()
        for detail in interpreter.get_tensor_details():
            if detail["name"]:
                values = interpreter.get_tensor(detail["index"])
                collected.setdefault(detail["name"], []).append(_real(values, detail))
    return {name: np.stack(values) for name, values in collected.items()}


def outputs(content: bytes, inputs: Sequence[Array]) -> Array:
    """Return the first output for every sample as real numbers, (count, *output)."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    fast = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(
        model_content=content, num_threads=1, experimental_op_resolver_type=fast
    )
    interpreter.allocate_tensors()
    port = interpreter.get_output_details()[0]
    found = []
    for number in range(len(inputs[0])):
        for at, array in zip(interpreter.get_input_details(), inputs, strict=True):
            interpreter.set_tensor(at["index"], _as_port(array[number : number + 1], at))
        interpreter.invoke()
        found.append(_real(interpreter.get_tensor(port["index"]), port))
    return np.concatenate(found)


def _as_port(values: Array, port: Any) -> Array:
    """Return float32 values as an input takes them."""
    dtype = np.dtype(port["dtype"])
    values = values.reshape(port["shape"])
    if dtype == np.float32:
        return values
    scale, zero_point = port["quantization"]
    limits = np.iinfo(dtype)
    steps = np.clip(np.round(values / scale) + zero_point, limits.min, limits.max)
    return np.asarray(steps, dtype)


def _real(values: Array, detail: Any) -> Array:
    scale, zero_point = detail["quantization"]
    if np.dtype(detail["dtype"]) == np.float32 or scale == 0:
        return np.array(values)
    return np.asarray((values.astype(np.float32) - zero_point) * np.float32(scale))
