"""Writes small TFLite models for tests: any op, any options, any quantisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "int8": schema.TensorType.INT8,
    "uint8": schema.TensorType.UINT8,
    "int16": schema.TensorType.INT16,
    "int32": schema.TensorType.INT32,
    "int64": schema.TensorType.INT64,
    "bool": schema.TensorType.BOOL,
}


class FlatModel:
    """A model under construction; tensors are named by their index."""

    def __init__(self) -> None:
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.operatorCodes = []
        self.model.buffers = [schema.BufferT()]
        self.graph = schema.SubGraphT()
        self.graph.tensors = []
        self.graph.operators = []
        self.graph.inputs = []
        self.graph.outputs = []
        self.model.subgraphs = [self.graph]
        self.samples: dict[int, tuple[float, float]] = {}

    def tensor(
        self,
        shape: Sequence[int],
        dtype: str,
        scale: float | Sequence[float] | None = None,
        zero_point: int | Sequence[int] = 0,
        *,
        axis: int = 0,
        data: Any = None,
        variable: bool = False,
    ) -> int:
        """Add a tensor, constant if it has data, and return its index."""
        t = schema.TensorT()
        index = len(self.graph.tensors)
        t.name = f"t{index}".encode()
        t.shape = [int(d) for d in shape]
        t.type = TYPES[dtype]
        t.isVariable = variable
        t.buffer = 0
        if data is not None:
            buffer = schema.BufferT()
            array = np.ascontiguousarray(data, dtype).reshape(shape)
            buffer.data = np.frombuffer(array.tobytes(), np.uint8)
            t.buffer = len(self.model.buffers)
            self.model.buffers.append(buffer)
        if scale is not None:
            q = schema.QuantizationParametersT()
            q.scale = [float(s) for s in np.atleast_1d(scale)]
            zeros = np.broadcast_to(zero_point, len(q.scale))
            q.zeroPoint = [int(z) for z in zeros]
            q.quantizedDimension = axis
            t.quantization = q
        self.graph.tensors.append(t)
        return index

    def input(
        self,
        shape: Sequence[int],
        dtype: str,
        scale: float | None = None,
        zero_point: int = 0,
        *,
        low: float = -4.0,
        high: float = 4.0,
    ) -> int:
        """Add a model input; float samples are drawn from [low, high), integers from the type."""
        index = self.tensor(shape, dtype, scale, zero_point)
        self.graph.inputs.append(index)
        self.samples[index] = (low, high)
        return index

    def output(
        self,
        shape: Sequence[int],
        dtype: str,
        scale: float | None = None,
        zero_point: int = 0,
    ) -> int:
        """Add a model output."""
        index = self.tensor(shape, dtype, scale, zero_point)
        self.graph.outputs.append(index)
        return index

    def op(
        self,
        builtin: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        options: Any = None,
        *,
        version: int = 1,
        intermediates: Sequence[int] = (),
    ) -> None:
        """Add an operator; `options` is an object such as `schema.Conv2DOptionsT()`."""
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, builtin)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = version
        op = schema.OperatorT()
        op.opcodeIndex = len(self.model.operatorCodes)
        self.model.operatorCodes.append(code)
        op.inputs = list(inputs)
        op.outputs = list(outputs)
        op.intermediates = list(intermediates)
        if options is not None:
            name = type(options).__name__.removesuffix("T")
            op.builtinOptionsType = getattr(schema.BuiltinOptions, name)
            op.builtinOptions = options
        self.graph.operators.append(op)

    def bytes(self) -> bytes:
        """Return the finished file."""
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def draw_inputs(self, seed: int) -> list[np.ndarray]:
        """Return one random sample for every input, extremes included."""
        rng = np.random.default_rng(seed)
        result = []
        for index in self.graph.inputs:
            t = self.graph.tensors[index]
            dtype = next(k for k, v in TYPES.items() if v == t.type)
            low, high = self.samples[index]
            if dtype == "float32":
                value = rng.uniform(low, high, t.shape).astype(np.float32)
            elif dtype == "bool":
                value = rng.integers(0, 2, t.shape).astype(bool)
            elif dtype in ("int32", "int64"):
                value = rng.integers(int(low), int(high), t.shape).astype(dtype)
            else:
                info = np.iinfo(dtype)
                value = rng.integers(info.min, info.max + 1, t.shape).astype(dtype)
                edge = rng.random(t.shape) < 0.1
                value = np.where(edge, rng.choice([info.min, info.max], t.shape), value)
            result.append(np.ascontiguousarray(value, dtype))
        return result
