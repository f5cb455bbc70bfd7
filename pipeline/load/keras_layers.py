"""Builds tf_keras layers from a checked `Architecture`, by their constructors and nothing else."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edgec.pipeline.load.float_model import Port
from edgec.pipeline.load.keras_calls import Architecture, LayerSpec, TensorRef, refusal

_IGNORED = frozenset(
    {
        "batch_input_shape",
        "batch_shape",
        "build_input_shape",
        "dtype",
        "implementation",
        "key_shape",
        "name",
        "noise_shape",
        "query_shape",
        "ragged",
        "renorm_clipping",
        "renorm_momentum",
        "seed",
        "sparse",
        "trainable",
        "use_cudnn",
        "value_shape",
        "zero_output_for_mask",
    }
)
"""Arguments that do not change what an inference computes; no layer that masks is built."""

_RENAMED_ARGUMENTS = {"LeakyReLU": {"negative_slope": "alpha"}}
_INTEGERS = ("int32", "int64")
_FLOAT_POLICIES = (None, "float32", "mixed_float16", "mixed_bfloat16")


@dataclass(frozen=True, slots=True)
class Built:
    """A built model: each layer of the file beside its tf_keras layer or nested `Built`."""

    layers: tuple[tuple[LayerSpec, Any], ...]

    def flat(self) -> Iterator[tuple[LayerSpec, Any]]:
        """Yield every layer that is not itself a model."""
        for spec, layer in self.layers:
            if isinstance(layer, Built):
                yield from layer.flat()
            else:
                yield spec, layer


def build(architecture: Architecture) -> tuple[Any, Built, tuple[Port, ...], tuple[Port, ...]]:
    """Return the `tf_keras.Model` with untrained weights, its layers, and its ports.

    Nested models become part of the one model, because quantisation-aware training takes no
    models within models. Raises UnsupportedModelError naming the layer that cannot be built.
    """
    import tf_keras

    builder = _Builder()
    by_name = {spec.name: spec for spec in architecture.layers}
    sources, ports = [], []
    for reference in architecture.inputs:
        spec = by_name.get(reference.layer)
        if spec is None or spec.class_name != "InputLayer":
            raise refusal(reference.layer, "is named as the model's input but is no InputLayer")
        shape = _input_shape(spec)
        dtype = "int32" if spec.config.get("dtype") in _INTEGERS else "float32"
        source = tf_keras.layers.Input(shape=shape[1:], name=_safe(spec.name), dtype=dtype)
        sources.append(source)
        ports.append(Port(spec.name, shape, tuple(range(len(shape)))))
    outputs, built = builder.model(architecture, sources, "")
    model = tf_keras.Model(sources, outputs)
    return model, built, tuple(ports), tuple(_output_ports(architecture, model.outputs))


def _input_shape(spec: LayerSpec) -> tuple[int, ...]:
    shape = spec.config.get("batch_shape") or spec.config.get("batch_input_shape")
    if not isinstance(shape, list) or len(shape) < 2:
        raise refusal(spec.name, f"input shape {shape!r}, [batch, …] wanted")
    if spec.config.get("dtype") not in (*_FLOAT_POLICIES, *_INTEGERS):
        raise refusal(
            spec.name, f"input type {spec.config['dtype']!r}, float32, int32 or int64 wanted"
        )
    for axis, size in enumerate(shape[1:], start=1):
        if not isinstance(size, int) or isinstance(size, bool) or not 0 < size < 2**24:
            raise refusal(
                spec.name,
                f"input dimension {axis} of {shape} is {size}, a fixed size wanted",
                "give the Input layer a fixed shape; only the batch may be left open",
            )
    return (1, *shape[1:])


def _output_ports(architecture: Architecture, tensors: list[Any]) -> Iterator[Port]:
    names = [reference.layer for reference in architecture.outputs]
    for index, (name, tensor) in enumerate(zip(names, tensors, strict=True)):
        shape = tuple(tensor.shape)
        if any(size is None for size in shape[1:]):
            raise refusal(name, f"output shape {list(shape)} is not fixed")
        again = names[:index].count(name)
        unique = f"{name}_{again}" if again else name
        yield Port(unique, (1, *shape[1:]), tuple(range(len(shape))))


class _Builder:
    def __init__(self) -> None:
        self.made: dict[str, Any] = {}
        self.names: set[str] = set()

    def model(
        self, architecture: Architecture, inputs: list[Any], prefix: str
    ) -> tuple[list[Any], Built]:
        """Call the architecture's layers on `inputs`; return its outputs and its layers."""
        tensors: dict[TensorRef, Any] = {}
        if len(inputs) != len(architecture.inputs):
            raise refusal(architecture.name, f"called on {len(inputs)} inputs")
        for reference, tensor in zip(architecture.inputs, inputs, strict=True):
            tensors[TensorRef(reference.layer, 0, 0)] = tensor
        layers: dict[str, Any] = {}
        shift = _call_shifts(architecture)
        pending = [(s, i) for s in architecture.layers for i in range(len(s.calls))]
        while pending:
            waiting = []
            for spec, call in pending:
                reads = [_shifted(reference, shift) for reference in spec.calls[call]]
                if not all(reference in tensors for reference in reads):
                    waiting.append((spec, call))
                    continue
                arguments = [tensors[reference] for reference in reads]
                results, layers[spec.name] = self._call(spec, arguments, prefix)
                for index, result in enumerate(results):
                    tensors[TensorRef(spec.name, call, index)] = result
            if len(waiting) == len(pending):
                raise refusal(waiting[0][0].name, "reads a tensor that no layer makes")
            pending = waiting
        outputs = []
        for reference in architecture.outputs:
            shifted = _shifted(reference, shift)
            if shifted not in tensors:
                raise refusal(reference.layer, "is named as an output but makes none")
            outputs.append(tensors[shifted])
        made = tuple((s, layers[s.name]) for s in architecture.layers if s.name in layers)
        return outputs, Built(made)

    def _call(self, spec: LayerSpec, arguments: list[Any], prefix: str) -> tuple[list[Any], Any]:
        where = f"{prefix}{spec.name}"
        if spec.inner is not None:
            return self.model(spec.inner, arguments, f"{where}/")
        layer = self.made.get(where)
        if layer is None:
            layer = self.made[where] = self._layer(spec, where)
        try:
            if spec.class_name == "MultiHeadAttention":
                result = layer(*arguments)
            else:
                result = layer(arguments[0] if len(arguments) == 1 else arguments)
        except Exception as error:
            # Layers raise whatever they like for a shape or an argument that they do not take.
            shapes = [list(tensor.shape) for tensor in arguments]
            raise refusal(where, f"cannot be applied to {shapes}: {_first_line(error)}") from None
        return list(result) if isinstance(result, (list, tuple)) else [result], layer

    def _layer(self, spec: LayerSpec, where: str) -> Any:
        import tf_keras

        layer_class = getattr(tf_keras.layers, spec.class_name)
        arguments = _arguments(layer_class, spec, where)
        if spec.wrapped is not None:
            arguments["layer"] = self._layer(spec.wrapped, f"{where}/{spec.wrapped.name}")
        if spec.wrapped_backward is not None:
            backward = spec.wrapped_backward
            arguments["backward_layer"] = self._layer(backward, f"{where}/{backward.name}")
        arguments["name"] = self._unique(_safe(where))
        try:
            return layer_class(**arguments)
        except Exception as error:
            raise refusal(where, f"{spec.class_name}: {_first_line(error)}") from None

    def _unique(self, name: str) -> str:
        candidate, count = name, 1
        while candidate in self.names:
            count += 1
            candidate = f"{name}_{count}"
        self.names.add(candidate)
        return candidate


def _call_shifts(architecture: Architecture) -> Mapping[str, int]:
    """Map each nested model to 1 where its calls are counted from 1.

    Keras counts the call that built a Sequential model by itself as its call 0, so what the outer
    model sees starts at 1.
    """
    references = [r for spec in architecture.layers for call in spec.calls for r in call]
    references.extend(architecture.outputs)
    shifts = {}
    for spec in architecture.layers:
        if spec.inner is not None:
            used = [reference.call for reference in references if reference.layer == spec.name]
            shifts[spec.name] = 1 if used and min(used) == 1 else 0
    return shifts


def _shifted(reference: TensorRef, shifts: Mapping[str, int]) -> TensorRef:
    shift = shifts.get(reference.layer, 0)
    return TensorRef(reference.layer, reference.call - shift, reference.output)


def _arguments(layer_class: Any, spec: LayerSpec, where: str) -> dict[str, Any]:
    """Pick the constructor's arguments; refuse one that it lacks and that means something."""
    config = spec.config
    if config.get("dtype") not in _FLOAT_POLICIES:
        raise refusal(where, f"type {config['dtype']!r}, float32 wanted")
    if config.get("data_format") == "channels_first":
        raise refusal(
            where, "data_format 'channels_first', channels_last wanted", "export it to ONNX"
        )
    if config.get("mask_zero"):
        raise refusal(where, "mask_zero, which hides tokens from the layers behind it")
    if config.get("stateful"):
        raise refusal(where, "is stateful, which keeps state between inferences")
    known = set(inspect.signature(layer_class.__init__).parameters)
    renamed = _RENAMED_ARGUMENTS.get(spec.class_name, {})
    arguments = {}
    for key, value in config.items():
        key = renamed.get(key, key)
        if key in _IGNORED:
            continue
        if key in known:
            arguments[key] = value
        elif value not in (None, False) and (key, value) != ("groups", 1):
            raise refusal(where, f"{spec.class_name} argument {key}={value!r} is not supported")
    if spec.class_name == "Dropout":
        return {"rate": config.get("rate", 0.0)}
    return arguments


def _safe(name: str) -> str:
    """Return a name that TensorFlow takes as a scope."""
    cleaned = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    return cleaned if re.match(r"[A-Za-z0-9.]", cleaned) else f"layer{cleaned}"


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
