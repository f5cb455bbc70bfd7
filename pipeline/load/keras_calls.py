"""How a Keras config says which layer reads which: the two ways Keras writes it, and operators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgec.pipeline.errors import UnsupportedModelError

_INPUT_KEYWORDS = ("inputs", "query", "value", "key")


@dataclass(frozen=True, slots=True)
class TensorRef:
    """The `output`-th output of the `call`-th call of a layer."""

    layer: str
    call: int
    output: int


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """One layer: its class, its plain arguments, and what each call of it reads.

    `inner` is the nested model's architecture where the layer is one, and `wrapped` the layer
    inside a wrapper (Bidirectional, TimeDistributed). `source_class` is the class in the file,
    which names the layer's weights there.
    """

    name: str
    class_name: str
    config: Mapping[str, Any]
    calls: tuple[tuple[TensorRef, ...], ...]
    source_class: str
    inner: Architecture | None = None
    wrapped: LayerSpec | None = None
    wrapped_backward: LayerSpec | None = None


@dataclass(frozen=True, slots=True)
class Architecture:
    """A model as layers in the file's order, and which tensors go in and come out."""

    name: str
    layers: tuple[LayerSpec, ...]
    inputs: tuple[TensorRef, ...]
    outputs: tuple[TensorRef, ...]


def refusal(where: str, what: str, hint: str = "") -> UnsupportedModelError:
    """Return the error that refuses a layer."""
    return UnsupportedModelError(f"layer {where!r}: {what}", hint)


def as_mapping(value: Any, where: str, what: str) -> Mapping[str, Any]:
    """Return `value` if it is a JSON object, else refuse."""
    if not isinstance(value, dict):
        raise refusal(where, f"{what} is {type(value).__name__}, an object wanted")
    return value


def as_sequence(value: Any, where: str, what: str) -> Sequence[Any]:
    """Return `value` if it is a JSON array, else refuse."""
    if not isinstance(value, list):
        raise refusal(where, f"{what} is {type(value).__name__}, a list wanted")
    return value


def call_inputs(node: Any, where: str) -> Iterator[TensorRef]:
    """Yield what one call of a layer reads, from either Keras' way to write it."""
    if isinstance(node, dict):
        for value in as_sequence(node.get("args", []), where, "args"):
            yield from _keras_tensors(value, where)
        # Everything a layer may be told by keyword that changes an inference is refused.
        for key, value in as_mapping(node.get("kwargs", {}), where, "kwargs").items():
            if isinstance(value, dict) and key in _INPUT_KEYWORDS:
                yield from _keras_tensors(value, where)
            elif value not in (None, False):
                raise refusal(where, f"is called with {key}={value!r}")
        return
    if isinstance(node, list) and node and isinstance(node[0], str):
        node = [node]
    for item in as_sequence(node, where, "an inbound node"):
        item = as_sequence(item, where, "an inbound node's input")
        yield _reference(item, where)
        keywords = as_mapping(item[3], where, "kwargs") if len(item) > 3 else {}
        for key, value in keywords.items():
            if isinstance(value, list) and key in _INPUT_KEYWORDS:
                yield _reference(value, where)
            elif value not in (None, False) and key != "name":
                raise refusal(where, f"is called with {key}={value!r}")


def _keras_tensors(value: Any, where: str) -> Iterator[TensorRef]:
    if isinstance(value, list):
        for item in value:
            yield from _keras_tensors(item, where)
    elif isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        config = as_mapping(value.get("config"), where, "a tensor")
        yield _reference(config.get("keras_history"), where)
    else:
        raise refusal(where, f"reads the constant {value!r}, an output of a layer wanted")


def _reference(value: Any, where: str) -> TensorRef:
    match value:
        case [str(layer), int(call), int(output), *_] if call >= 0 and output >= 0:
            return TensorRef(layer, call, output)
    raise refusal(where, f"malformed reference {value!r}, [layer, call, output] wanted")


def references(value: Any, where: str) -> Iterator[TensorRef]:
    """Yield the tensors of a model's list of inputs or outputs."""
    if isinstance(value, dict):
        value = list(value.values())
    value = as_sequence(value, where, "the list of inputs or outputs")
    if value and isinstance(value[0], str):
        value = [value]
    for item in value:
        yield _reference(item, where)


def operator_layer(spec: LayerSpec, nodes: Sequence[Any]) -> LayerSpec:
    """Turn `x + y`, `x * 2.0` and the like of Keras 2 into the layer that does the same."""
    if len(nodes) != 1:
        raise refusal(spec.name, f"is called {len(nodes)} times, once wanted")
    node = as_sequence(nodes[0], spec.name, "an inbound node")
    if node and isinstance(node[0], list):
        node = node[0]
    first = _reference(node, spec.name)
    keywords = node[3] if len(node) > 3 and isinstance(node[3], dict) else {}
    other = keywords.get("y")
    if isinstance(other, list):
        second = _reference(other, spec.name)
        config = {"name": spec.name}
        return LayerSpec(spec.name, spec.class_name, config, ((first, second),), "TFOpLambda")
    if not isinstance(other, (int, float)) or isinstance(other, bool):
        raise refusal(spec.name, f"reads {other!r}, a number or an output of a layer wanted")
    scale, offset = {
        "Add": (1.0, float(other)),
        "Subtract": (1.0, -float(other)),
        "Multiply": (float(other), 0.0),
    }[spec.class_name]
    scaling: dict[str, Any] = {"name": spec.name, "scale": scale, "offset": offset}
    return LayerSpec(spec.name, "Rescaling", scaling, ((first,),), "TFOpLambda")
