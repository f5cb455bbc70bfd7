"""Reads an .onnx file as untrusted input: nothing in it is followed, run or believed unchecked."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.checker
import onnx.inliner
import onnx.shape_inference
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import AttributeProto, TensorProto, numpy_helper

from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.load.onnx.external_data import read_external
from edgec.pipeline.load.onnx.nodes import Array, GraphInput, Node, OnnxGraph

MAX_FILE_BYTES = 1 << 30
MAX_NODES = 20_000
MAX_RANK = 8
MAX_ELEMENTS = 1 << 28
OLDEST_OPSET = 13

_REEXPORT = "export the model again and check it with onnx.checker"
_STANDARD_DOMAINS = ("", "ai.onnx")
# Operators that hold graphs, which have no importer, so that what is in them does not matter.
_WITH_GRAPHS = ("If", "Loop", "Scan", "SequenceMap")


def read_model(path: Path) -> OnnxGraph:
    """Read and check an ONNX file.

    Raise UnsupportedModelError if it is not a whole and consistent ONNX model, is too large, has an
    opset below 13, or keeps weights in files that lie outside its own folder.
    """
    try:
        return _read(path)
    except UnicodeDecodeError as error:
        raise UnsupportedModelError(
            f"{path.name}: a name in it is no UTF-8 text: {error.reason}", _REEXPORT
        ) from error


def _read(path: Path) -> OnnxGraph:
    model = _parse(path)
    folder = path.absolute().parent
    for tensor in _tensors(model.graph):
        _check_tensor(tensor, path)
        if tensor.data_location == TensorProto.EXTERNAL:
            _embed(tensor, folder)
    model = _inline(model, path)
    return _convert(model, _opset(model, path), path)


def _parse(path: Path) -> Any:
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise UnsupportedModelError(
                f"{path.name}: file of {size} bytes, wanted at most {MAX_FILE_BYTES}"
            )
        content = path.read_bytes()
    except OSError as error:
        raise UnsupportedModelError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        model = onnx.load_model_from_string(content)
    except (DecodeError, ValueError) as error:
        raise UnsupportedModelError(
            f"{path.name}: not a whole ONNX file: {error}", _REEXPORT
        ) from error
    if not model.HasField("graph") or not model.graph.output:
        raise UnsupportedModelError(f"{path.name}: the file holds no ONNX graph", _REEXPORT)
    if len(model.graph.node) > MAX_NODES:
        raise UnsupportedModelError(
            f"{path.name}: {len(model.graph.node)} nodes, wanted at most {MAX_NODES}"
        )
    return model


def _inline(model: Any, path: Path) -> Any:
    if not model.functions:
        return model
    try:
        return onnx.inliner.inline_local_functions(model)
    except (RuntimeError, ValueError) as error:
        raise UnsupportedModelError(
            f"{path.name}: its functions cannot be inlined: {error}", _REEXPORT
        ) from error


def _opset(model: Any, path: Path) -> int:
    versions = [entry.version for entry in model.opset_import if entry.domain in _STANDARD_DOMAINS]
    newest = onnx.defs.onnx_opset_version()
    if not versions or not OLDEST_OPSET <= versions[0] <= newest:
        got = versions[0] if versions else "none"
        raise UnsupportedModelError(
            f"{path.name}: opset {got}, wanted {OLDEST_OPSET} to {newest}",
            "export the model again with opset_version=17",
        )
    return int(versions[0])


def _convert(model: Any, opset: int, path: Path) -> OnnxGraph:
    graph = model.graph
    if graph.sparse_initializer:
        raise UnsupportedModelError(f"{path.name}: sparse initializers are not supported")
    constants = {item.name: to_array(item, path) for item in graph.initializer}
    inputs = tuple(_input(item, path) for item in graph.input if item.name not in constants)
    nodes = tuple(_node(index, node, path) for index, node in enumerate(graph.node))
    _check_order(nodes, {*constants, *(item.name for item in inputs)}, graph.output, path)
    _check_schema(model, path)
    return OnnxGraph(
        name=graph.name,
        opset=opset,
        inputs=inputs,
        outputs=tuple(item.name for item in graph.output),
        nodes=nodes,
        constants=constants,
        shapes=_infer_shapes(model),
    )


def _input(item: Any, path: Path) -> GraphInput:
    tensor = item.type.tensor_type
    if not item.type.HasField("tensor_type") or not tensor.HasField("shape"):
        raise UnsupportedModelError(
            f"{path.name}: input {item.name!r} has no tensor shape", "export with fixed shapes"
        )
    shape: list[int | str] = [
        dim.dim_value if dim.HasField("dim_value") else dim.dim_param for dim in tensor.shape.dim
    ]
    if len(shape) > MAX_RANK or math.prod(d for d in shape if isinstance(d, int)) > MAX_ELEMENTS:
        raise UnsupportedModelError(
            f"{path.name}: input {item.name!r} of shape {shape} is too large, "
            f"wanted at most {MAX_RANK} axes and {MAX_ELEMENTS} elements"
        )
    if any(isinstance(d, int) and d < 1 for d in shape):
        raise UnsupportedModelError(
            f"{path.name}: input {item.name!r} of shape {shape} has an axis without elements"
        )
    return GraphInput(item.name, tuple(shape), _dtype(tensor.elem_type, item.name, path))


def _dtype(code: int, name: str, path: Path) -> np.dtype[Any]:
    try:
        dtype: np.dtype[Any] = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(code))
    except (KeyError, TypeError) as error:
        raise UnsupportedModelError(
            f"{path.name}: {name!r} has unknown element type {code}", _REEXPORT
        ) from error
    return dtype


def _node(index: int, node: Any, path: Path) -> Node:
    name = node.name or f"{node.op_type}_{index}"
    attributes = {item.name: _attribute(item, path) for item in node.attribute}
    domain = "" if node.domain in _STANDARD_DOMAINS else node.domain
    return Node(name, node.op_type, tuple(node.input), tuple(node.output), attributes, domain)


def _attribute(item: Any, path: Path) -> Any:
    if item.type == AttributeProto.TENSOR:
        return to_array(item.t, path)
    if item.type == AttributeProto.STRING:
        return item.s.decode("utf-8", "replace")
    if item.type == AttributeProto.STRINGS:
        return [text.decode("utf-8", "replace") for text in item.strings]
    if item.type in (
        AttributeProto.INT,
        AttributeProto.INTS,
        AttributeProto.FLOAT,
        AttributeProto.FLOATS,
    ):
        value = onnx.helper.get_attribute_value(item)
        return value if isinstance(value, (int, float)) else list(value)
    # Graphs, types and sparse tensors belong to operators that have no importer.
    return None


def to_array(tensor: Any, path: Path) -> Array:
    """Convert a TensorProto, refusing one whose data does not fill its shape."""
    try:
        return np.asarray(numpy_helper.to_array(tensor))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UnsupportedModelError(
            f"{path.name}: constant {tensor.name!r} of shape {list(tensor.dims)} is damaged: "
            f"{error}",
            _REEXPORT,
        ) from error


def _tensors(graph: Any) -> Iterable[Any]:
    """Every TensorProto of the main graph, attributes included."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.TENSOR:
                yield attribute.t
            yield from attribute.tensors


def _check_tensor(tensor: Any, path: Path) -> None:
    dims = list(tensor.dims)
    if len(dims) > MAX_RANK or min(dims, default=0) < 0 or math.prod(dims) > MAX_ELEMENTS:
        raise UnsupportedModelError(
            f"{path.name}: constant {tensor.name!r} of shape {dims}, wanted at most {MAX_RANK} "
            f"axes and {MAX_ELEMENTS} elements",
            _REEXPORT,
        )


def _embed(tensor: Any, folder: Path) -> None:
    entries = {entry.key: entry.value for entry in tensor.external_data}
    wanted = math.prod(tensor.dims) * _dtype(tensor.data_type, tensor.name, folder).itemsize
    tensor.raw_data = read_external(folder, tensor.name, entries, wanted)
    del tensor.external_data[:]
    tensor.data_location = TensorProto.DEFAULT


def _check_order(nodes: Iterable[Node], known: set[str], outputs: Any, path: Path) -> None:
    """Refuse a graph that uses a value before it exists or defines one twice."""
    known = set(known)
    for node in nodes:
        for name in node.inputs:
            if name and name not in known:
                raise UnsupportedModelError(
                    f"{path.name}: node {node.name!r} reads {name!r}, which "
                    "nothing before it makes",
                    _REEXPORT,
                )
        for name in node.outputs:
            if name and name in known:
                raise UnsupportedModelError(f"{path.name}: {name!r} is made twice", _REEXPORT)
            known.add(name)
    for output in outputs:
        if output.name not in known:
            raise UnsupportedModelError(
                f"{path.name}: nothing makes the output {output.name!r}", _REEXPORT
            )


def _check_schema(model: Any, path: Path) -> None:
    """Check operators we know of against their schema: arity, attribute names and types."""
    context = onnx.checker.C.CheckerContext()
    context.ir_version = model.ir_version
    context.opset_imports = {entry.domain: entry.version for entry in model.opset_import}
    for node in model.graph.node:
        if node.domain not in _STANDARD_DOMAINS or node.op_type in _WITH_GRAPHS:
            continue
        try:
            onnx.checker.check_node(node, context)
        except onnx.checker.ValidationError as error:
            text = str(error).strip().splitlines()[0]
            if "No Op registered" in text:
                continue
            raise UnsupportedModelError(f"{path.name}: {text}", _REEXPORT) from error


def _infer_shapes(model: Any) -> dict[str, tuple[int | None, ...]]:
    """Infer intermediate shapes, for fusions and to go on checking after a refused node.

    Where inference fails the shapes are unknown, and the node at fault is refused later.
    """
    if any(_split_unevenly(node) for node in model.graph.node):
        # onnx's inference indexes past the end of the outputs and aborts the process.
        return {}
    known = {entry.domain for entry in model.opset_import}
    for domain in sorted({node.domain for node in model.graph.node} - known):
        # Inference gives up on the whole graph at an operator of an undeclared domain.
        model.opset_import.add(domain=domain, version=1)
    try:
        inferred = onnx.shape_inference.infer_shapes(model)
    except (onnx.shape_inference.InferenceError, RuntimeError, ValueError, MemoryError):
        return {}
    return {
        item.name: tuple(
            dim.dim_value if dim.HasField("dim_value") else None
            for dim in item.type.tensor_type.shape.dim
        )
        for item in inferred.graph.value_info
        if item.type.HasField("tensor_type") and item.type.tensor_type.HasField("shape")
    }


def _split_unevenly(node: Any) -> bool:
    """Whether a Split node declares another number of outputs than it has."""
    declared = [item.i for item in node.attribute if item.name == "num_outputs"]
    return node.op_type == "Split" and bool(declared) and declared[0] != len(node.output)
