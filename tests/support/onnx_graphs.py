"""Writes small ONNX models and compares edgec's import of them with onnxruntime."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from edgec.pipeline.load.float_model import FloatModel
from edgec.pipeline.load.onnx import load

Shape = Sequence[int | str]


def node(op: str, inputs: str, outputs: str = "y", **attributes: Any) -> onnx.NodeProto:
    """Make a node; names are separated by spaces, `-` is an omitted one."""
    names = [["" if name == "-" else name for name in text.split()] for text in (inputs, outputs)]
    return helper.make_node(op, *names, **attributes)


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Shape],
    constants: Mapping[str, Any] | None = None,
    *,
    outputs: Sequence[str] = ("y",),
    opset: int = 17,
) -> onnx.ModelProto:
    """Make a model of float32 inputs; constants keep the type of their array."""
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()]
    results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    weights = [numpy_helper.from_array(np.asarray(a), n) for n, a in (constants or {}).items()]
    graph = helper.make_graph(list(nodes), "test", values, results, weights)
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def imported(proto: onnx.ModelProto, folder: Path) -> FloatModel:
    """Write a model and import it."""
    path = folder / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    return load(path)


def example_inputs(float_model: FloatModel, seed: int = 0) -> list[np.ndarray]:
    """Random inputs in the source file's layout."""
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(port.shape).astype(np.float32) for port in float_model.inputs]


def run_keras(float_model: FloatModel, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Run the imported model on inputs of the source layout; return outputs of that layout."""
    feed = [a.transpose(p.to_keras) for a, p in zip(arrays, float_model.inputs, strict=True)]
    results = float_model.keras(feed if len(feed) > 1 else feed[0])
    results = list(results) if isinstance(results, (list, tuple)) else [results]
    return [
        np.asarray(result).transpose(np.argsort(port.to_keras))
        for result, port in zip(results, float_model.outputs, strict=True)
    ]


def run_onnx(content: bytes, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Run a model with onnxruntime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [item.name for item in session.get_inputs()]
    return list(session.run(None, dict(zip(names, arrays, strict=True))))


def check(
    proto: onnx.ModelProto,
    folder: Path,
    *,
    tolerance: float = 1e-4,
    transform: Any = None,
) -> FloatModel:
    """Import a model and hold its outputs against onnxruntime's; return the import."""
    float_model = imported(proto, folder)
    arrays = example_inputs(float_model)
    if transform is not None:
        arrays = [transform(array).astype(np.float32) for array in arrays]
    wanted = run_onnx(proto.SerializeToString(), arrays)
    got = run_keras(float_model, arrays)
    for mine, its in zip(got, wanted, strict=True):
        assert mine.shape == its.shape
        np.testing.assert_allclose(mine, its, rtol=tolerance, atol=tolerance)
    assert not any("Lambda" in kind for kind in layer_kinds(float_model))
    return float_model


def layer_kinds(float_model: FloatModel) -> list[str]:
    """The class names of the layers, inputs left out."""
    names = [type(layer).__name__ for layer in float_model.keras.layers]
    return [name for name in names if name != "InputLayer"]


def weights(*shape: int, seed: int = 1) -> np.ndarray:
    """Random weights of a moderate size."""
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(shape) * 0.3).astype(np.float32)


def ints(*values: int) -> np.ndarray:
    """A constant of int64."""
    return np.array(values, np.int64)
