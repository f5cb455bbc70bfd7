"""What an ONNX file must answer: ONNX Runtime on this machine, node by node, nothing optimised.

The `onnx` package's own evaluator is no reference: on a residual network it is 5 % off, where
ONNX Runtime and LiteRT agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array, DType, Graph, Tensor
from edgec.pipeline.oracle import Sample


class OnnxOracle:
    """ONNX Runtime without its optimisations, for one file whose ports are `ports`."""

    name = "ONNX Runtime, nothing optimised"

    def __init__(self, path: Path, ports: Graph) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.graph_optimization_level = level
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self._names = ports.inputs
        self._session = onnxruntime.InferenceSession(str(path), options)

    def run(self, sample: Sample) -> list[Array]:
        """Return the outputs for one sample of every input."""
        feed = dict(zip(self._names, sample, strict=True))
        return [np.asarray(answer) for answer in self._session.run(None, feed)]


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
