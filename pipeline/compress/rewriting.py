"""Rewrites a model, exactly, into one that trains with quantisation as it will run.

- Batch normalisation becomes part of the convolution or dense layer before it, whose weights are
  then those that are quantised. Alone, it becomes a depthwise convolution of size 1, or where
  there are no channels of an image a multiplication and an addition.
- An activation that runs as an op of its own leaves its layer, so that its input is observed.
- A separable convolution becomes the two convolutions that it is.
- Models within the model become part of it.
- ELU and SELU, of which TFLite has no int8 form, become what they are made of.

The rest is copied. The result computes what the model computes in inference.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edgec.pipeline.compress.rebuilding import calls_of, flattened, models_within, rebuild
from edgec.pipeline.graph import Array

FUSED_ACTIVATIONS = frozenset({"linear", "relu", "relu6"})
"""Activations that TFLite computes in the layer's own op."""

_ELU_CONSTANTS = {"elu": (1.0, 1.0), "selu": (1.6732632423543772, 1.0507009873554805)}
"""Slope and scale as `ScaledElu` takes them."""

_KERNELS = ("Conv1D", "Conv2D", "Conv2DTranspose", "Dense", "DepthwiseConv1D", "DepthwiseConv2D")
_SEPARABLE = {
    "SeparableConv1D": ("DepthwiseConv1D", "Conv1D"),
    "SeparableConv2D": ("DepthwiseConv2D", "Conv2D"),
}


@dataclass(eq=False, slots=True)
class _Piece:
    """A new layer and its weights; None leaves them to be copied by the caller."""

    layer: Any
    weights: list[Array]


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A rewritten model.

    `factors` has for each layer that took in a batch normalisation, by name, what its output
    channels were multiplied by. `notes` say what was done.
    """

    model: Any
    factors: dict[str, Array]
    notes: tuple[str, ...]


def rewrite(model: Any) -> Rewritten:
    """Return `model`, a functional `tf_keras.Model`, as quantised training wants it."""
    within = models_within(model)
    flat = flattened(model) if within else model
    rewriting = _Rewriting(flat)
    rewriting.done["models within the model flattened"] = within
    rebuilt = rebuild(flat, rewriting.layers_for)
    for piece in rewriting.pieces():
        piece.layer.set_weights(piece.weights)
    notes = tuple(f"{what}: {', '.join(names)}" for what, names in rewriting.done.items() if names)
    factors = {piece.layer.name: factor for piece, factor in rewriting.factors.items()}
    return Rewritten(rebuilt, factors, notes)


@dataclass(slots=True)
class _Rewriting:
    model: Any
    chains: dict[int, list[_Piece]] = field(default_factory=dict)
    factors: dict[_Piece, Array] = field(default_factory=dict)
    done: dict[str, list[str]] = field(default_factory=dict)
    _calls: dict[int, int] = field(default_factory=dict)
    _readers: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        import tensorflow as tf

        for node in calls_of(self.model):
            self._calls[id(node.layer)] = self._calls.get(id(node.layer), 0) + 1
            for tensor in tf.nest.flatten(node.keras_inputs):
                self._readers[id(tensor)] = self._readers.get(id(tensor), 0) + 1
        for tensor in self.model.outputs:
            self._readers[id(tensor)] = self._readers.get(id(tensor), 0) + 1
        for node in calls_of(self.model):
            if id(node.layer) not in self.chains:
                self.chains[id(node.layer)] = self._chain(node)

    def layers_for(self, node: Any) -> list[Any]:
        """Return the new layers of a call."""
        return [piece.layer for piece in self.chains[id(node.layer)]]

    def pieces(self) -> list[_Piece]:
        """Return all new layers that have weights."""
        return [piece for chain in self.chains.values() for piece in chain if piece.weights]

    def _note(self, what: str, layer: Any) -> None:
        self.done.setdefault(what, []).append(layer.name)

    def _chain(self, node: Any) -> list[_Piece]:
        layer, kind = node.layer, type(node.layer).__name__
        if kind == "BatchNormalization":
            scale, offset = _affine(layer)
            producer = self._foldable(node)
            if producer is not None:
                self._fold(producer, scale, offset)
                self._note("batch normalisation folded into the layer before", layer)
                return []
            return self._lone(layer, scale, offset)
        if kind in _SEPARABLE:
            self._note("separable convolution split in two", layer)
            return self._with_activation(layer, _separated(layer))
        if elu := _elu(layer, layer.name):
            self._note("ELU written out", layer)
            return [_Piece(elu, [])]
        return self._with_activation(layer, [_copied(layer)])

    def _foldable(self, node: Any) -> _Piece | None:
        """Return the new layer that a batch normalisation may become part of."""
        tensor = node.keras_inputs[0]
        producer = tensor._keras_history.layer
        chain = self.chains.get(id(producer))
        if not chain or self._calls[id(producer)] > 1 or self._calls[id(node.layer)] > 1:
            return None
        if self._readers[id(tensor)] > 1 or not _along_channels(node.layer, tensor):
            return None
        piece = chain[-1]
        if type(piece.layer).__name__ not in _KERNELS or _activation(piece.layer) != "linear":
            return None
        return piece

    def _fold(self, piece: _Piece, scale: Array, offset: Array) -> None:
        kernel, *rest = piece.weights
        bias = rest[0] if rest else np.zeros_like(offset)
        kind = type(piece.layer).__name__
        if kind.startswith("Depthwise"):
            kernel = kernel * scale.reshape(kernel.shape[-2:])
        elif kind == "Conv2DTranspose":
            kernel = kernel * scale[:, np.newaxis]
        else:
            kernel = kernel * scale
        piece.layer.use_bias = True
        piece.weights = [kernel, bias * scale + offset]
        self.factors[piece] = self.factors.get(piece, np.float32(1)) * scale

    def _lone(self, layer: Any, scale: Array, offset: Array) -> list[_Piece]:
        import tf_keras

        from edgec.pipeline.load.onnx.keras_layers import ConstantOperand

        rank, axis = len(layer.input_shape), _axis(layer)
        if rank == 4 and axis == 3:
            self._note("batch normalisation on its own, now a depthwise convolution", layer)
            depthwise = tf_keras.layers.DepthwiseConv2D(1, name=layer.name)
            return [_Piece(depthwise, [scale.reshape(1, 1, -1, 1), offset])]
        self._note("batch normalisation on its own, now a product and a sum", layer)
        shape = [len(scale) if i == axis else 1 for i in range(axis, rank)]
        steps = (("multiply", scale), ("add", offset))
        return [
            _Piece(
                ConstantOperand(name, shape, first=False, name=f"{layer.name}_{name}"),
                [values.reshape(shape)],
            )
            for name, values in steps
        ]

    def _with_activation(self, layer: Any, chain: list[_Piece]) -> list[_Piece]:
        """Let an activation that is an op of its own be a layer of its own."""
        import tf_keras

        last = chain[-1].layer
        if type(last).__name__ not in _KERNELS or _activation(last) in FUSED_ACTIVATIONS:
            return chain
        activation = tf_keras.layers.Activation(last.activation, name=f"{layer.name}_activation")
        last.activation = tf_keras.activations.linear
        if elu := _elu(activation, activation.name):
            self._note("ELU written out", layer)
        return [*chain, _Piece(elu or activation, [])]


def _copied(layer: Any) -> _Piece:
    return _Piece(type(layer).from_config(layer.get_config()), layer.get_weights())


def _separated(layer: Any) -> list[_Piece]:
    """Return a separable convolution as a depthwise and a pointwise one."""
    import tf_keras

    first, second = _SEPARABLE[type(layer).__name__]
    depthwise_kernel, pointwise_kernel, *bias = layer.get_weights()
    depthwise = getattr(tf_keras.layers, first)(
        layer.kernel_size,
        strides=layer.strides,
        padding=layer.padding,
        dilation_rate=layer.dilation_rate,
        depth_multiplier=layer.depth_multiplier,
        use_bias=False,
        name=f"{layer.name}_depthwise",
    )
    pointwise = getattr(tf_keras.layers, second)(
        layer.filters, 1, activation=layer.activation, use_bias=layer.use_bias, name=layer.name
    )
    return [_Piece(depthwise, [depthwise_kernel]), _Piece(pointwise, [pointwise_kernel, *bias])]


def _elu(layer: Any, name: str) -> Any:
    """Return the layer that writes out an ELU or SELU, None for any other layer."""
    from edgec.pipeline.load.onnx.keras_layers import ScaledElu

    if type(layer).__name__ == "ELU":
        return ScaledElu(float(layer.alpha), 1.0, name=name)
    if type(layer).__name__ != "Activation" or _activation(layer) not in _ELU_CONSTANTS:
        return None
    return ScaledElu(*_ELU_CONSTANTS[_activation(layer)], name=name)


def _activation(layer: Any) -> str:
    activation = layer.activation
    return str(getattr(activation, "__name__", type(activation).__name__))


def _axis(layer: Any) -> int:
    axis = layer.axis
    return int(axis[0] if isinstance(axis, (list, tuple)) else axis)


def _along_channels(layer: Any, tensor: Any) -> bool:
    return _axis(layer) % len(tensor.shape) == len(tensor.shape) - 1


def _affine(layer: Any) -> tuple[Array, Array]:
    """Return the factor and the summand of a batch normalisation in inference."""
    mean, variance = layer.moving_mean.numpy(), layer.moving_variance.numpy()
    scale = 1.0 / np.sqrt(variance + layer.epsilon)
    if layer.gamma is not None:
        scale = scale * layer.gamma.numpy()
    beta = layer.beta.numpy() if layer.beta is not None else np.float32(0)
    return scale.astype(np.float32), (beta - mean * scale).astype(np.float32)
