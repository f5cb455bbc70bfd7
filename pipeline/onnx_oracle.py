"""What an ONNX file must answer: the reference evaluator of the `onnx` package, in numpy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array, DType, Graph, Tensor
from edgec.pipeline.oracle import Sample


class OnnxOracle:
    """The reference evaluator of one file, whose ports are `ports`."""

    name = "the onnx package's reference evaluator"

    def __init__(self, path: Path, ports: Graph) -> None:
        from onnx.reference import ReferenceEvaluator

        self._names = ports.inputs
        self._evaluator = ReferenceEvaluator(str(path))

    def run(self, sample: Sample) -> list[Array]:
        """Return the outputs for one sample of every input."""
        feed = dict(zip(self._names, sample, strict=True))
        return [np.asarray(answer) for answer in self._evaluator.run(None, feed)]


def onnx_ports(path: Path, name: str) -> Graph:
    """Return a graph without ops that has the inputs and outputs of an ONNX file, batch 1."""
    import onnx

    graph = onnx.load(str(path), load_external_data=False).graph
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [_tensor(port) for port in graph.input if port.name not in constants]
    outputs = [_tensor(port) for port in graph.output]
    tensors: Mapping[str, Tensor] = {t.name: t for t in (*inputs, *outputs)}
    return Graph(name, tuple(t.name for t in inputs), tuple(t.name for t in outputs), tensors, ())


def _tensor(port: Any) -> Tensor:
    import onnx

    kind = port.type.tensor_type
    shape = [d.dim_value if d.HasField("dim_value") else None for d in kind.shape.dim]
    if shape and shape[0] is None:
        shape[0] = 1
    if None in shape:
        raise UnsupportedModelError(f"{port.name}: shape {shape} is dynamic", "fix its shape")
    numpy_type = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)).name
    try:
        dtype = DType(numpy_type)
    except ValueError as error:
        raise UnsupportedModelError(f"{port.name}: type {numpy_type} is not supported") from error
    return Tensor(port.name, tuple(size or 0 for size in shape), dtype)
