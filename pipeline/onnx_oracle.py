"""What an ONNX file must answer: ONNX Runtime on this machine, node by node, nothing optimised.

A quantised one is compared with ONNX Runtime as it runs on the device: its integer kernels round
otherwise than the nodes that they stand for.

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
    """ONNX Runtime for one file whose ports are `ports`, without its optimisations or with them."""

    def __init__(self, path: Path, ports: Graph, *, optimized: bool = False) -> None:
        import onnxruntime

        self.name = f"ONNX Runtime, {'the same kernels' if optimized else 'nothing optimised'}"
        options = onnxruntime.SessionOptions()
        levels = onnxruntime.GraphOptimizationLevel
        options.graph_optimization_level = (
            levels.ORT_ENABLE_ALL if optimized else levels.ORT_DISABLE_ALL
        )
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


def is_quantized(path: Path) -> bool:
    """Return whether an ONNX file computes with integers in place of floats somewhere."""
    import onnx

    graph = onnx.load(str(path), load_external_data=False).graph
    return any("quantize" in node.op_type.lower() for node in graph.node)


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
