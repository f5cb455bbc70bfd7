"""Mends channels of a quantised `.tflite` whose bias does not fit its 32 bits.

A bias has the scale of input times weights. Where the weights of a channel are all zero or nearly
so, as after pruning, that scale is so small that ai-edge-quantizer's bias saturates, and the
channel answers something else than the float model. Such a channel gets a larger weight scale,
which costs it nothing: its weights are small beside its bias.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from edgec.pipeline.graph import Array

_WITH_BIAS = {"CONV_2D": 0, "FULLY_CONNECTED": 0, "DEPTHWISE_CONV_2D": -1}
"""Ops with input, weights and bias, and the axis of the weights' output channels."""
_LARGEST = 1 << 28
"""What a mended bias may be: leaves the products of a layer all the room they need."""


def mend_biases(content: bytes, float_content: bytes) -> bytes:
    """Return `content` with biases that fit; `float_content` is what it was quantised from."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    wanted = _float_biases(float_content)
    model = schema.ModelT.InitFromPackedBuf(content)
    graph = model.subgraphs[0]
    mended = False
    for op, axis in _ops(model):
        name = graph.tensors[op.outputs[0]].name.decode()
        if name in wanted and len(op.inputs) > 2 and op.inputs[2] >= 0:
            mended |= _mend(model, op, axis, wanted[name])
    if not mended:
        return content
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _ops(model: Any) -> list[tuple[Any, int]]:
    """Return the ops with a bias, and the axis of their weights' output channels."""
    from ai_edge_litert import schema_py_generated as schema

    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if name.isupper()}
    found = []
    for op in model.subgraphs[0].operators:
        code = model.operatorCodes[op.opcodeIndex]
        builtin = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
        if builtin in _WITH_BIAS:
            found.append((op, _WITH_BIAS[builtin]))
    return found


def _float_biases(content: bytes) -> Mapping[str, Array]:
    """Return the biases of a float file by the name of their op's output."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content)
    tensors = model.subgraphs[0].tensors
    biases = {}
    for op, _ in _ops(model):
        if len(op.inputs) > 2 and op.inputs[2] >= 0:
            values = _values(model, tensors[op.inputs[2]])
            if values is not None:
                biases[tensors[op.outputs[0]].name.decode()] = values
    return biases


def _values(model: Any, tensor: Any) -> Array | None:
    from ai_edge_litert import schema_py_generated as schema

    types = {
        schema.TensorType.FLOAT32: np.float32,
        schema.TensorType.INT8: np.int8,
        schema.TensorType.INT32: np.int32,
        schema.TensorType.INT64: np.int64,
    }
    data = model.buffers[tensor.buffer].data
    if data is None or tensor.type not in types:
        return None
    raw = np.asarray(data, np.uint8).tobytes()
    return np.frombuffer(raw, types[tensor.type]).reshape(tensor.shape)


def _mend(model: Any, op: Any, axis: int, wanted: Array) -> bool:
    """Mend one op in place; return whether it had to be."""
    source, weights, bias = (model.subgraphs[0].tensors[i] for i in op.inputs[:3])
    stored, kernel = _values(model, bias), _values(model, weights)
    if stored is None or kernel is None or stored.dtype == np.float32 or kernel.dtype != np.int8:
        return False
    input_scale = float(source.quantization.scale[0])
    scales = np.asarray(weights.quantization.scale, np.float64)
    wrong = np.abs(wanted.astype(np.float64)) > _LARGEST * input_scale * scales
    if len(scales) != len(stored) or not wrong.any():
        return False
    least = np.abs(wanted.astype(np.float64)) / (_LARGEST * input_scale)
    new = np.where(wrong, least, scales).astype(np.float32)
    spread = [1] * kernel.ndim
    spread[axis] = -1
    shrunk = np.round(kernel * (scales / new).reshape(spread)).astype(np.int8)
    fitting = np.round(wanted / (input_scale * new.astype(np.float64)))
    weights.quantization.scale = new
    bias.quantization.scale = (np.float32(input_scale) * new).astype(np.float32)
    _store(model, weights, np.where(wrong.reshape(spread), shrunk, kernel))
    _store(model, bias, np.where(wrong, fitting, stored).astype(stored.dtype))
    return True


def _store(model: Any, tensor: Any, values: Array) -> None:
    """Give a tensor a buffer of its own: several may have shared the old one."""
    from ai_edge_litert import schema_py_generated as schema

    buffer = schema.BufferT()
    buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
    model.buffers.append(buffer)
    tensor.buffer = len(model.buffers) - 1
