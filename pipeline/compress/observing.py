"""Makes a model train as it will run in int8: quantised weights, and observers of its tensors.

An observer stands behind every tensor that int8 code gives a range of its own. It rounds the tensor
to 256 steps of the range it has seen, starts from the range of a float calibration pass, and
follows the training by a moving average. Runs in a worker process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from tensorflow_model_optimization.python.core.quantization.keras import (
    quantize_layer,
    quantize_wrapper,
    quantizers,
)

from edgec.pipeline.compress.quantizers import (
    KERNELS,
    ChannelQuantizer,
    ClusteredQuantizer,
    SparseQuantizer,
    WeightConfig,
)
from edgec.pipeline.compress.rebuilding import calls_of, rebuild
from edgec.pipeline.graph import Array
from edgec.pipeline.lower.trained_ranges import TrainedRange

PASSING = frozenset({
    "AveragePooling1D", "AveragePooling2D", "Cropping1D", "Cropping2D", "DepthToSpace", "Dropout",
    "Flatten", "GaussianDropout", "GaussianNoise", "Gather", "GlobalMaxPooling1D",
    "GlobalMaxPooling2D", "InputLayer", "MaxPooling1D", "MaxPooling2D", "Pad", "Permute",
    "PermuteAll", "RepeatVector", "Reshape", "ReshapeAll", "Resize", "Slice", "SpaceToDepth",
    "SpatialDropout1D", "SpatialDropout2D", "Split", "UpSampling1D", "UpSampling2D",
    "ZeroPadding1D", "ZeroPadding2D",
})  # fmt: skip
"""Layers whose output has the range of their input."""

FIXED: Mapping[str, tuple[float, float]] = {
    "softmax": (0.0, 255 / 256),
    "sigmoid": (0.0, 255 / 256),
    "tanh": (-1.0, 127 / 128),
    "log_softmax": (-255 / 16, 0.0),
}
"""Ranges that TFLite fixes."""

_FUSING = frozenset({
    "Add", "Binary", "ConstantOperand", "Conv1D", "Conv2D", "Dense", "DepthwiseConv1D",
    "DepthwiseConv2D", "Multiply", "Subtract",
})  # fmt: skip
"""Layers that a ReLU after them becomes part of."""

_BATCH = 64
_NARROWEST = 1e-3
"""The least width of a range: a tensor that is zero throughout has one, too."""


@dataclass(eq=False, slots=True)
class _Observer:
    layer: Any
    tensor: Any
    """Of the plain model."""


@dataclass(slots=True)
class Observed:
    """A plain model beside the one that trains in its place."""

    plain: Any
    training: Any
    _observers: list[_Observer]
    _weights: list[tuple[Any, Any, Any]]
    _wrappers: list[Any]

    def seed(self, samples: Sequence[Array]) -> None:
        """Give every observer the range that its tensor has in the plain model on `samples`."""
        moving = self._moving()
        lows, highs = np.zeros(len(moving)), np.zeros(len(moving))
        for values in _values(self.plain, [o.tensor for o in moving], samples):
            lows = np.minimum(lows, [value.min() for value in values])
            highs = np.maximum(highs, [value.max() for value in values])
        for observer, low, high in zip(moving, lows, highs, strict=True):
            observer.layer.quantizer_vars["min_var"].assign(low)
            observer.layer.quantizer_vars["max_var"].assign(max(high, low + _NARROWEST))
        self.refresh()

    def refresh(self) -> None:
        """Give the weights' ranges their present values, which in training lag by a step."""
        for wrapper in self._wrappers:
            for kernel, quantizer, variables in wrapper._weight_vars:
                quantizer(kernel, True, variables)

    def settle(self) -> None:
        """Give the plain model the trained weights."""
        for plain, trained, kept in self._weights:
            plain.assign(trained if kept is None else kept())

    def ranges(self, probe: Sequence[Array]) -> list[TrainedRange]:
        """Return what the observers have seen, each with its tensor's values on `probe`."""
        moving = self._moving()
        parts = list(_values(self.plain, [o.tensor for o in moving], probe))
        return [
            TrainedRange(
                np.concatenate([part[number] for part in parts]),
                float(observer.layer.quantizer_vars["min_var"]),
                float(observer.layer.quantizer_vars["max_var"]),
            )
            for number, observer in enumerate(moving)
        ]

    def _moving(self) -> list[_Observer]:
        """Return the observers whose range is not fixed."""
        return [o for o in self._observers if "min_var" in (o.layer.quantizer_vars or {})]


@dataclass(frozen=True, slots=True)
class Rounding:
    """How kernels are rounded, and what training must keep of them.

    `shared` has the values of clustered kernels and what their output channels were multiplied by
    since, by layer; `sparse` keeps zeros; `per_tensor` gives each kernel one range.
    """

    shared: Mapping[str, tuple[Array, Array]] = field(default_factory=dict)
    sparse: bool = False
    per_tensor: bool = False

    def quantizer(self, layer: str, channels: str, kernel: Array) -> ChannelQuantizer:
        """Return the quantiser of a kernel."""
        channels = "whole" if self.per_tensor else channels
        if layer in self.shared:
            return ClusteredQuantizer(channels, *self.shared[layer])
        if self.sparse and not kernel.all():
            return SparseQuantizer(channels, (kernel != 0).astype(np.float32))
        return ChannelQuantizer(channels)


def observe(plain: Any, how: Rounding) -> Observed:
    """Return a rewritten model with the one that trains for it; see `rewriting.rewrite`."""
    wanted = _observed_tensors(plain)
    wrapped: dict[int, Any] = {}
    copies: list[tuple[Any, Any]] = []
    weights: list[tuple[Any, Any, Any]] = []
    observers: list[_Observer] = []

    def layers_for(node: Any) -> list[Any]:
        layer = node.layer
        if id(layer) not in wrapped:
            copy = type(layer).from_config(layer.get_config())
            if type(layer).__name__ in KERNELS:
                copy.build(node.input_shapes)
                copy.set_weights(layer.get_weights())
                wrapped[id(layer)] = _rounding(layer, copy, how, weights)
            else:
                wrapped[id(layer)] = copy
                copies.append((layer, copy))
        return [wrapped[id(layer)]]

    def after(tensor: Any, made: Any) -> Any:
        quantizer = wanted.get(id(tensor))
        if quantizer is None:
            return made
        observer = quantize_layer.QuantizeLayer(quantizer, name=f"observer_{len(observers)}")
        observers.append(_Observer(observer, tensor))
        return observer(made)

    training = rebuild(plain, layers_for, after)
    for layer, copy in copies:
        copy.set_weights(layer.get_weights())
        weights.extend(
            (old, new, None) for old, new in zip(layer.weights, copy.weights, strict=True)
        )
    wrappers = [w for w in wrapped.values() if isinstance(w, quantize_wrapper.QuantizeWrapperV2)]
    return Observed(plain, training, observers, weights, wrappers)


def _rounding(layer: Any, copy: Any, how: Rounding, weights: list[tuple[Any, Any, Any]]) -> Any:
    """Return a wrapper that rounds the kernel of `copy`; enter how its weights come back."""
    attribute, channels = KERNELS[type(layer).__name__]
    kernel = getattr(copy, attribute)
    quantizer = how.quantizer(layer.name, channels, kernel.numpy())
    pairs = list(zip(layer.weights, copy.weights, strict=True))
    wrapper = quantize_wrapper.QuantizeWrapperV2(copy, WeightConfig(attribute, quantizer))

    def kept() -> Any:
        (_, _, variables), *_ = wrapper._weight_vars
        return quantizer.kept(kernel, variables)

    weights.extend((old, new, kept if new is kernel else None) for old, new in pairs)
    return wrapper


def _observed_tensors(model: Any) -> dict[int, Any]:
    """Return the quantiser of each tensor that is observed, by the tensor's id."""
    readers: dict[int, list[Any]] = {}
    for node in calls_of(model):
        for tensor in tf.nest.flatten(node.keras_inputs):
            readers.setdefault(id(tensor), []).append(node.layer)
    outputs = {id(tensor) for tensor in model.outputs}
    chosen = {id(tensor): _moving() for tensor in model.inputs}
    for node in calls_of(model):
        kind = type(node.layer).__name__
        made = tf.nest.flatten(node.outputs)
        if kind in PASSING or len(made) > 1:
            continue
        tensor = made[0]
        after = readers.get(id(tensor), [])
        fixed = FIXED.get(_function(node.layer))
        if fixed is not None:
            # What a model ends in is left as it is: rounded probabilities have no useful gradient.
            if id(tensor) not in outputs:
                chosen[id(tensor)] = quantizers.FixedQuantizer(8, *fixed, narrow_range=False)
            continue
        if len(after) == 1 and id(tensor) not in outputs:
            if kind in _FUSING and _function(after[0]) in ("relu", "relu6"):
                continue
            if type(after[0]).__name__ == "Concatenate":
                continue  # what is joined shares the range of the whole
        chosen[id(tensor)] = _moving()
    return chosen


def _moving() -> Any:
    return quantizers.MovingAverageQuantizer(
        num_bits=8, per_axis=False, symmetric=False, narrow_range=False
    )


def _function(layer: Any) -> str:
    """Return which element-wise function a layer is, or nothing."""
    kind = type(layer).__name__
    if kind == "Activation":
        return str(getattr(layer.activation, "__name__", ""))
    if kind == "ReLU" and not layer.negative_slope and not layer.threshold:
        limit = layer.max_value
        return {None: "relu", 6.0: "relu6"}.get(None if limit is None else float(limit), "")
    return {"Softmax": "softmax", "LogSoftmax": "log_softmax"}.get(kind, "")


def _values(model: Any, tensors: Sequence[Any], samples: Sequence[Array]) -> Iterator[list[Array]]:
    """Yield the values of tensors of a model on samples, batch by batch."""
    reader = tf_keras.Model(model.inputs, list(tensors))
    for start in range(0, len(samples[0]), _BATCH):
        part = [x[start : start + _BATCH] for x in samples]
        made = reader(part if len(part) > 1 else part[0], training=False)
        yield [np.asarray(value) for value in tf.nest.flatten(made)]
