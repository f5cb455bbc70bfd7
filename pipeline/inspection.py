"""What is in a model, layer by layer, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgec.codegen.registry import Io, as_kernel_op
from edgec.pipeline.graph import DType, Graph, Tensor
from edgec.pipeline.load import tflite
from edgec.pipeline.load.source import Format, detect
from edgec.pipeline.lower.tflite import summarize
from edgec.pipeline.worker import Report


@dataclass(frozen=True, slots=True)
class LayerView:
    """One layer; `quantization` is its output's, empty for float."""

    name: str
    op: str
    output: tuple[int, ...]
    macs: int
    parameters: int
    quantization: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """A model's layers and totals; inputs and outputs in words (empty for float sources)."""

    format: str
    layers: tuple[LayerView, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    macs: int
    parameters: int


def inspect(model: Path, *, progress: Report | None = None) -> Inspection:
    """Return what a model file holds. Keras, ONNX and SavedModel are read in a worker."""
    kind = detect(model)
    if kind is Format.TFLITE:
        return _of_graph(tflite.load(model))
    rows = tuple(
        LayerView(s.name, s.type, s.output_shape, s.macs, s.parameters, "")
        for s in summarize(model, progress=progress)
    )
    macs, parameters = sum(r.macs for r in rows), sum(r.parameters for r in rows)
    return Inspection(kind.value, rows, (), (), macs, parameters)


def _of_graph(graph: Graph) -> Inspection:
    rows = []
    for op in graph.ops:
        io = Io.of(graph, op)
        constants = [t for t in io.present if t.data is not None and t.dtype is not DType.INT64]
        rows.append(
            LayerView(
                io.y.name,
                op.builtin,
                io.y.shape,
                as_kernel_op(op).macs(io),
                sum(t.size for t in constants),
                _quantization(io.y),
            )
        )
    return Inspection(
        Format.TFLITE.value,
        tuple(rows),
        tuple(_describe(graph[n]) for n in graph.inputs),
        tuple(_describe(graph[n]) for n in graph.outputs),
        sum(r.macs for r in rows),
        sum(r.parameters for r in rows),
    )


def _describe(tensor: Tensor) -> str:
    shape = "x".join(map(str, tensor.shape))
    return f"{tensor.name}: {tensor.dtype.value} {shape} {_quantization(tensor)}".rstrip()


def _quantization(tensor: Tensor) -> str:
    quant = tensor.quant
    if quant is None:
        return ""
    if quant.per_channel:
        return f"{tensor.dtype.value}, {len(quant.scales)} scales"
    return f"{tensor.dtype.value}, scale {quant.scale:.6g}, zero point {quant.zero_point}"
