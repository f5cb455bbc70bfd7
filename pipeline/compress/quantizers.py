"""How weights are quantised in training: TF-MOT's quantiser in the layout of each kernel.

TF-MOT ranges the last axis of convolutions, which for depthwise kernels is not the channels', and
gives dense kernels one range. What runs has one range for each output channel, so these do, too.
Runs in a worker process.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow_model_optimization.python.core.quantization.keras import (
    quant_ops,
    quantize_config,
    quantizers,
)

from edgec.pipeline.graph import Array

KERNELS: Mapping[str, tuple[str, str]] = {
    "Conv1D": ("kernel", "last"),
    "Conv2D": ("kernel", "last"),
    "Conv2DTranspose": ("kernel", "transposed"),
    "Dense": ("kernel", "last"),
    "DepthwiseConv1D": ("depthwise_kernel", "depthwise"),
    "DepthwiseConv2D": ("depthwise_kernel", "depthwise"),
    "ConstantOperand": ("operand", "whole"),
    "PReLU": ("alpha", "whole"),
}
"""By layer class: the attribute that is quantised, and where its channels are."""


class ChannelQuantizer(quantizers.LastValueQuantizer):  # type: ignore[misc]
    """Symmetric int8 with the present range of each output channel.

    `channels` is where these are: the `last` axis, the last two (`depthwise`), the last but one
    (`transposed`), or nowhere: one range for the `whole`.
    """

    def __init__(self, channels: str) -> None:
        super().__init__(num_bits=8, per_axis=True, symmetric=True, narrow_range=True)
        self._channels = channels

    def build(self, tensor_shape: Any, name: str, layer: Any) -> dict[str, Any]:
        """Create the ranges."""
        count = tf.ones(tensor_shape) if self._channels != "whole" else tf.ones((1, 1))
        size = int(self._rows(count).shape[-1])
        return {
            end: layer.add_weight(
                f"{name}_{end}", shape=(size,), initializer="zeros", trainable=False
            )
            for end in ("min_var", "max_var")
        }

    def __call__(self, inputs: Any, training: bool, weights: Any, **kwargs: Any) -> Any:
        """Return `inputs` rounded to int8 steps."""
        inputs = self.kept(inputs, weights)
        rounded = quant_ops.LastValueQuantize(
            self._rows(inputs),
            weights["min_var"],
            weights["max_var"],
            is_training=training,
            num_bits=self.num_bits,
            per_channel=True,
            symmetric=True,
            narrow_range=True,
        )
        return self._back(rounded, inputs.shape)

    def kept(self, inputs: Any, weights: Any) -> Any:
        """Return the weights without rounding, but with what has to be kept of them."""
        return tf.convert_to_tensor(inputs)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"channels": self._channels}

    def _rows(self, x: Any) -> Any:
        """Return a matrix with one column a range."""
        if self._channels == "whole":
            return tf.reshape(x, [-1, 1])
        if self._channels == "depthwise":
            return tf.reshape(x, [-1, x.shape[-2] * x.shape[-1]])
        if self._channels == "transposed":
            x = tf.transpose(x, (0, 1, 3, 2))
        return tf.reshape(x, [-1, x.shape[-1]])

    def _back(self, rows: Any, shape: Any) -> Any:
        if self._channels == "transposed":
            turned = (shape[0], shape[1], shape[3], shape[2])
            return tf.transpose(tf.reshape(rows, turned), (0, 1, 3, 2))
        return tf.reshape(rows, shape)


class SparseQuantizer(ChannelQuantizer):
    """Keeps the zeros of pruned weights: `mask` is 0 where they are, else 1."""

    def __init__(self, channels: str, mask: Array) -> None:
        super().__init__(channels)
        self._mask = tf.constant(mask, tf.float32)

    def kept(self, inputs: Any, weights: Any) -> Any:
        """Return the weights, zero where pruned."""
        return inputs * self._mask


class ClusteredQuantizer(ChannelQuantizer):
    """Keeps shared weights shared: what is trained is the few values, which stay where they are.

    `shared` is the kernel of few values and `factor` what its output channels were multiplied by
    since. TF-MOT's cluster-preserving quantiser lets the channels of a convolution part ways.
    """

    def __init__(self, channels: str, shared: Array, factor: Array) -> None:
        super().__init__(channels)
        self._values, indices = np.unique(shared, return_inverse=True)
        self._indices = tf.constant(indices.reshape(shared.shape), tf.int32)
        self._factor = tf.constant(factor, tf.float32)

    def build(self, tensor_shape: Any, name: str, layer: Any) -> dict[str, Any]:
        """Create the values and the ranges."""
        values = layer.add_weight(
            f"{name}_values", shape=self._values.shape, trainable=True,
            initializer=tf.constant_initializer(self._values),
        )  # fmt: skip
        return {"values": values, **super().build(tensor_shape, name, layer)}

    def kept(self, inputs: Any, weights: Any) -> Any:
        """Return the present values where they belong; a zero stays one."""
        values = weights["values"] * tf.constant(self._values != 0, tf.float32)
        return tf.gather(values, self._indices) * self._factor


class WeightConfig(quantize_config.QuantizeConfig):  # type: ignore[misc]
    """Quantises one weight of a layer and nothing else: outputs have observers of their own."""

    def __init__(self, attribute: str, quantizer: ChannelQuantizer) -> None:
        self._attribute = attribute
        self._quantizer = quantizer

    def get_weights_and_quantizers(self, layer: Any) -> list[Any]:
        """Return the weight."""
        return [(getattr(layer, self._attribute), self._quantizer)]

    def get_activations_and_quantizers(self, layer: Any) -> list[Any]:
        """Return nothing."""
        return []

    def set_quantize_weights(self, layer: Any, quantize_weights: Any) -> None:
        """Let the layer compute with the rounded weight."""
        setattr(layer, self._attribute, quantize_weights[0])

    def set_quantize_activations(self, layer: Any, quantize_activations: Any) -> None:
        """Do nothing."""

    def get_output_quantizers(self, layer: Any) -> list[Any]:
        """Return nothing."""
        return []

    def get_config(self) -> dict[str, Any]:
        """Refuse: the wrapped model lives in memory only."""
        raise NotImplementedError("a model in quantised training is not saved")
