"""Gives a calibrated model the ranges that were trained, before it is quantised.

TensorFlow's converter takes trained ranges from fake quantisers in the graph, but then knows one
range at most for a dense kernel, and leaves in float whatever has no fake quantiser. So the plain
model is converted and calibrated, which gives every tensor a range; those that were observed in
training get theirs; and then the same quantiser runs as after a calibration. A tensor of the
converted model is known by its values on a few samples, as its name says little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array

_SAME_RANGE = frozenset({
    "AVERAGE_POOL_2D", "BATCH_TO_SPACE_ND", "DEPTH_TO_SPACE", "EXPAND_DIMS", "GATHER",
    "MAX_POOL_2D", "MIRROR_PAD", "PAD", "PADV2", "RESHAPE", "RESIZE_BILINEAR",
    "RESIZE_NEAREST_NEIGHBOR", "SLICE", "SPACE_TO_BATCH_ND", "SPACE_TO_DEPTH", "SPLIT",
    "SPLIT_V", "SQUEEZE", "STRIDED_SLICE", "TILE", "TRANSPOSE", "UNPACK",
})  # fmt: skip
"""Ops that give their output the range of their (first float) input."""

_JOINS = ("CONCATENATION", "PACK")
_TOLERANCE = 1e-3
"""How far values of one tensor may be apart in the two models, of their largest magnitude."""


@dataclass(frozen=True, slots=True)
class TrainedRange:
    """The range of one tensor, known by its values on the probe: samples along axis 0."""

    values: Array
    low: float
    high: float


def with_trained_ranges(
    calibrated: bytes, probe: Sequence[Array], ranges: Sequence[TrainedRange]
) -> bytes:
    """Return a calibrated float `.tflite` with the trained ranges of those tensors that it has.

    `probe` has one array an input. A trained tensor that the model has no more, because its layer
    became part of another, has no use for a range. Raises UnsupportedModelError where an input's
    is not found, for then nothing else is right either.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(calibrated))
    graph = model.subgraphs[0]
    values = _tensor_values(calibrated, graph, probe)
    found: dict[int, tuple[float, float]] = {}
    for trained in ranges:
        matches = [index for index, value in values.items() if _same(value, trained.values)]
        found |= dict.fromkeys(matches, (trained.low, trained.high))
    if lost := [i for i in graph.inputs if i not in found]:
        name = graph.tensors[lost[0]].name.decode(errors="replace")
        raise UnsupportedModelError(f"converted model: input {name!r} has no trained range")
    _spread(model, graph, found)
    for index, (low, high) in found.items():
        quantization = graph.tensors[index].quantization
        if quantization is None:
            quantization = graph.tensors[index].quantization = schema.QuantizationParametersT()
        quantization.min, quantization.max = [low], [high]
    builder = flatbuffers.Builder(len(calibrated))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _tensor_values(content: bytes, graph: Any, probe: Sequence[Array]) -> dict[int, Array]:
    """Return the values of every calibrated tensor on the probe, one sample at a time."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=content,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    wanted = {int(i) for i in graph.inputs} | {
        int(index)
        for op in graph.operators
        for index in op.outputs
        if _calibrated(graph.tensors[index])
    }
    parts: dict[int, list[Array]] = {index: [] for index in sorted(wanted)}
    for number in range(len(probe[0])):
        for index, array in zip(_by_name(graph), probe, strict=True):
            interpreter.set_tensor(index, array[number : number + 1])
        interpreter.reset_all_variables()  # else recurrent state carries over
        interpreter.invoke()
        for index, held in parts.items():
            held.append(interpreter.get_tensor(index).copy().reshape(-1))
    return {index: np.stack(held) for index, held in parts.items()}


def _by_name(graph: Any) -> list[int]:
    """Return the inputs in the order of the signature's names, which their tensors carry."""
    return sorted((int(i) for i in graph.inputs), key=lambda i: bytes(graph.tensors[i].name))


def _calibrated(tensor: Any) -> bool:
    quantization = tensor.quantization
    return quantization is not None and quantization.min is not None and len(quantization.min) == 1


def _same(found: Array, trained: Array) -> bool:
    flat = trained.reshape(len(trained), -1)
    if found.shape != flat.shape:
        return False
    largest = float(np.abs(flat).max())
    return bool(np.abs(found - flat).max() <= _TOLERANCE * max(largest, 1e-6))


def _spread(model: Any, graph: Any, found: dict[int, tuple[float, float]]) -> None:
    """Hand ranges on to tensors that were not observed because they share another's."""
    readers: dict[int, int] = {}
    for op in graph.operators:
        for index in op.inputs:
            readers[int(index)] = readers.get(int(index), 0) + 1
    for op in graph.operators:
        if _kind(model, op) not in _SAME_RANGE:
            continue
        sources = [int(i) for i in op.inputs if int(i) in found]
        if sources:
            found |= {int(i): found[sources[0]] for i in op.outputs if int(i) not in found}
    for op in reversed(graph.operators):
        if _kind(model, op) in _JOINS and int(op.outputs[0]) in found:
            for index in map(int, op.inputs):
                if index not in found and readers[index] == 1 and _calibrated(graph.tensors[index]):
                    found[index] = found[int(op.outputs[0])]


def _kind(model: Any, op: Any) -> str:
    from ai_edge_litert import schema_py_generated as schema

    code = model.operatorCodes[op.opcodeIndex]
    value = max(code.builtinCode, code.deprecatedBuiltinCode)
    return next(str(name) for name, v in vars(schema.BuiltinOperator).items() if v == value)
