"""A float `.tflite` taken apart: its layers, what each answers, and copies with changed weights."""

from __future__ import annotations

from dataclasses import dataclass

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
