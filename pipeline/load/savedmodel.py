"""Loads a SavedModel folder that Keras wrote, from its metadata and its checkpoint.

The graph functions inside are never run: the layers are rebuilt from the metadata that Keras
keeps beside them, and the weights read from the checkpoint by name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.load.float_model import FloatModel
from edgec.pipeline.load.keras_calls import refusal
from edgec.pipeline.load.keras_config import parse
from edgec.pipeline.load.keras_layers import Built, build
from edgec.pipeline.load.keras_weights import assign

MAX_GRAPH_BYTES = 512 << 20
MAX_WEIGHTS_BYTES = 1 << 30

_NO_KERAS = "save it as .keras, or convert it to ONNX: python -m tf2onnx.convert --saved-model DIR"
# What the checkpoint reader raises for damage, beside TensorFlow's own classes.
_CHECKPOINT_ERRORS = (LookupError, RuntimeError, ValueError)
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


def load(path: Path) -> FloatModel:
    """Return the model of a SavedModel folder, rebuilt layer by layer.

    Raises UnsupportedModelError where the folder is damaged or holds no Keras metadata, as what
    `tf.saved_model.save` and Keras 3's `model.export` write.
    """
    _check_files(path)
    graph, metadata = _read_graph(path)
    root = metadata.get(0)
    if root is None:
        raise UnsupportedModelError(f"{path.name}: the SavedModel has no Keras metadata", _NO_KERAS)
    config = {"class_name": root.get("class_name"), "config": root.get("config")}
    architecture = parse(config, keras_major=2)
    model, built, inputs, outputs = build(architecture)
    _Weights(path, graph, metadata).assign(built, 0, 0)
    return FloatModel(model, inputs, outputs)


def _check_files(path: Path) -> None:
    total = 0
    for file in sorted(path.rglob("*")):
        if file.is_symlink():
            raise UnsupportedModelError(f"{path.name}: {file.relative_to(path)} is a symbolic link")
        if file.is_file():
            total += file.stat().st_size
    if total > MAX_GRAPH_BYTES + MAX_WEIGHTS_BYTES:
        raise UnsupportedModelError(f"{path.name}: {total} bytes are too many for a model")
    for name in ("saved_model.pb", "variables/variables.index"):
        if not (path / name).is_file():
            raise UnsupportedModelError(
                f"{path.name}: no {name} in the folder, so no SavedModel", "name the folder itself"
            )


def _read_graph(path: Path) -> tuple[Any, dict[int, Mapping[str, Any]]]:
    """Return the object graph, and the Keras metadata of its nodes by node number."""
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from tensorflow.core.protobuf import saved_model_pb2
    from tf_keras.protobuf import saved_metadata_pb2

    saved, kept = saved_model_pb2.SavedModel(), saved_metadata_pb2.SavedMetadata()
    try:
        saved.ParseFromString((path / "saved_model.pb").read_bytes())
        separate = path / "keras_metadata.pb"
        if separate.is_file():
            kept.ParseFromString(separate.read_bytes())
    except DecodeError as error:
        raise UnsupportedModelError(f"{path.name}: damaged SavedModel: {error}") from None
    if not saved.meta_graphs or not saved.meta_graphs[0].object_graph_def.nodes:
        raise UnsupportedModelError(f"{path.name}: the SavedModel is empty")
    graph = saved.meta_graphs[0].object_graph_def
    texts = {
        number: node.user_object.metadata
        for number, node in enumerate(graph.nodes)
        if node.user_object.identifier.startswith("_tf_keras")
    }
    texts |= {node.node_id: node.metadata for node in kept.nodes}
    try:
        metadata = {number: json.loads(text) for number, text in texts.items() if text}
    except (ValueError, RecursionError) as error:
        raise UnsupportedModelError(
            f"{path.name}: the Keras metadata is not JSON: {error}"
        ) from None
    return graph, {n: value for n, value in metadata.items() if isinstance(value, dict)}


class _Weights:
    """Finds variables in the checkpoint along the names by which objects hold each other."""

    def __init__(self, path: Path, graph: Any, metadata: Mapping[int, Mapping[str, Any]]) -> None:
        import tensorflow as tf
        from tensorflow.core.protobuf import trackable_object_graph_pb2

        self.path = path
        self.graph = graph
        self.metadata = metadata
        self.checkpoint = trackable_object_graph_pb2.TrackableObjectGraph()
        try:
            self.reader = tf.train.load_checkpoint(str(path / "variables" / "variables"))
            self.checkpoint.ParseFromString(self.reader.get_tensor(_OBJECT_GRAPH))
        except (tf.errors.OpError, *_CHECKPOINT_ERRORS) as error:
            text = " ".join(str(error).split())
            raise UnsupportedModelError(f"{path.name}: damaged checkpoint: {text}") from None

    def assign(self, built: Built, saved: int, stored: int) -> None:
        """Assign every layer below node `saved` of the graph, `stored` of the checkpoint."""
        children = {
            str(self.metadata[child.node_id].get("name")): child
            for child in self._children(self.graph, saved)
            if child.local_name.startswith("layer") and child.node_id in self.metadata
        }
        for spec, layer in built.layers:
            weights = (
                [w for _, inner in layer.flat() for w in inner.weights]
                if isinstance(layer, Built)
                else layer.weights
            )
            if not weights:
                continue
            child = children.get(spec.name)
            node = child and self._step(stored, child.local_name)
            if child is None or node is None:
                raise refusal(spec.name, "the checkpoint has no weights of it")
            if isinstance(layer, Built):
                self.assign(layer, child.node_id, node)
            else:
                paths = dict(_variable_paths(layer, (), set()))
                arrays = [self._array(node, paths[id(w)], spec.name) for w in layer.weights]
                assign(spec, layer, arrays)

    def _children(self, graph: Any, node: int) -> Any:
        if not 0 <= node < len(graph.nodes):
            raise UnsupportedModelError(f"{self.path.name}: object {node} is out of range")
        return graph.nodes[node].children

    def _step(self, node: int, name: str) -> int | None:
        for child in self._children(self.checkpoint, node):
            if child.local_name == name:
                return int(child.node_id)
        return None

    def _array(self, node: int, names: tuple[str, ...], layer: str) -> np.ndarray:
        import tensorflow as tf

        found: int | None = node
        for name in names:
            found = None if found is None else self._step(found, name)
        values = [] if found is None else self.checkpoint.nodes[found].attributes
        if len(values) != 1:
            raise refusal(layer, f"the checkpoint has no variable {'/'.join(names)!r} of it")
        try:
            return np.asarray(self.reader.get_tensor(values[0].checkpoint_key))
        except (tf.errors.OpError, *_CHECKPOINT_ERRORS) as error:
            text = " ".join(str(error).split())
            raise refusal(layer, f"damaged checkpoint: {text}") from None


def _variable_paths(
    item: Any, names: tuple[str, ...], seen: set[int]
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield each variable below a layer with the attribute names that lead to it."""
    for name, child in item._trackable_children().items():
        if id(child) in seen:
            continue
        seen.add(id(child))
        if hasattr(child, "assign") and hasattr(child, "shape"):
            yield id(child), (*names, name)
        elif hasattr(child, "_trackable_children"):
            yield from _variable_paths(child, (*names, name), seen)
