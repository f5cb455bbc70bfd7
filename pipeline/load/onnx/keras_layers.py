"""Small layers for ONNX operators that Keras has no layer for.

Each is a plain serialisable layer, not a Lambda, so that models holding them can be cloned, saved,
trained and converted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

serialisable = tf_keras.utils.register_keras_serializable(package="edgec")


class PlainLayer(tf_keras.layers.Layer):  # type: ignore[misc]
    """A layer whose output is a function of its inputs and its constructor arguments.

    Subclasses pass their arguments on as `settings`, which serialisation gives back.
    """

    def __init__(self, settings: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._settings = settings

    def get_config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {**super().get_config(), **self._settings}


class Unary(PlainLayer):
    """A function of one tensor, element by element."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({}, **kwargs)


@serialisable
class Abs(Unary):
    """The absolute value."""

    def call(self, x: Any) -> Any:
        """Compute the layer."""
        return tf.abs(x)


@serialisable
class Exp(Unary):
    """The exponential."""

    def call(self, x: Any) -> Any:
        """Compute the layer."""
        return tf.exp(x)


@serialisable
class Log(Unary):
    """The natural logarithm."""

    def call(self, x: Any) -> Any:
        """Compute the layer."""
        return tf.math.log(x)


@serialisable
class Negate(Unary):
    """The negative."""

    def call(self, x: Any) -> Any:
        """Compute the layer."""
        return tf.negative(x)


@serialisable
class Sqrt(Unary):
    """The square root."""

    def call(self, x: Any) -> Any:
        """Compute the layer."""
        return tf.sqrt(x)


@serialisable
class LogSoftmax(PlainLayer):
    """The logarithm of softmax along an axis."""

    def __init__(self, axis: int, **kwargs: Any) -> None:
        super().__init__({"axis": axis}, **kwargs)
        self._axis = axis

    def call(self, x: Any) -> Any:
        """Compute the layer."""
        return tf.nn.log_softmax(x, axis=self._axis)


@serialisable
class HardSwish(Unary):
    """x times relu6(x + 3) / 6, in the form the TFLite converter recognises."""

    def call(self, x: Any) -> Any:
        """Compute the layer."""
        return x * tf.nn.relu6(x + np.float32(3)) * np.float32(1 / 6)


@serialisable
class ScaledSwish(PlainLayer):
    """x * sigmoid(alpha * x)."""

    def __init__(self, alpha: float, **kwargs: Any) -> None:
        super().__init__({"alpha": alpha}, **kwargs)
        self._alpha = alpha

    def call(self, x: Any) -> Any:
        """Compute the layer."""
        return x * tf.sigmoid(x * np.float32(self._alpha))


@serialisable
class HardSigmoid(PlainLayer):
    """Clip alpha * x + beta to 0 … 1."""

    def __init__(self, alpha: float, beta: float, **kwargs: Any) -> None:
        super().__init__({"alpha": alpha, "beta": beta}, **kwargs)
        self._alpha, self._beta = alpha, beta

    def call(self, x: Any) -> Any:
        """Compute the layer."""
        if abs(self._alpha * 6 - 1) < 1e-6 and self._beta == 0.5:
            return tf.nn.relu6(x + np.float32(3)) * np.float32(1 / 6)
        line = x * np.float32(self._alpha) + np.float32(self._beta)
        return tf.minimum(tf.nn.relu(line), np.float32(1))


@serialisable
class Gelu(PlainLayer):
    """The Gaussian error linear unit, exact or approximated by tanh."""

    def __init__(self, approximate: bool, **kwargs: Any) -> None:
        super().__init__({"approximate": approximate}, **kwargs)
        self._approximate = approximate

    def call(self, x: Any) -> Any:
        """Compute the layer."""
        return tf.nn.gelu(x, approximate=self._approximate)


@serialisable
class Clip(PlainLayer):
    """Limit values to a range; None leaves that side open."""

    def __init__(self, minimum: float | None, maximum: float | None, **kwargs: Any) -> None:
        super().__init__({"minimum": minimum, "maximum": maximum}, **kwargs)
        self._minimum, self._maximum = minimum, maximum

    def call(self, x: Any) -> Any:
        """Compute the layer."""
        if self._minimum is not None:
            x = tf.maximum(x, np.float32(self._minimum))
        if self._maximum is not None:
            x = tf.minimum(x, np.float32(self._maximum))
        return x


@serialisable
class ScaledElu(PlainLayer):
    """gamma * x above 0 and gamma * alpha * (exp(x) - 1) below; Selu and Elu of any constants."""

    def __init__(self, alpha: float, gamma: float, **kwargs: Any) -> None:
        super().__init__({"alpha": alpha, "gamma": gamma}, **kwargs)
        self._alpha, self._gamma = alpha, gamma

    def call(self, x: Any) -> Any:
        """Compute the layer."""
        below = (tf.exp(tf.minimum(x, 0.0)) - np.float32(1)) * np.float32(self._alpha)
        return (tf.nn.relu(x) + below) * np.float32(self._gamma)


def binary_function(name: str) -> Any:
    """Return the TensorFlow function behind a binary operator's name."""
    return {
        "add": tf.add,
        "subtract": tf.subtract,
        "multiply": tf.multiply,
        "divide": tf.divide,
        "maximum": tf.maximum,
        "minimum": tf.minimum,
        "power": tf.pow,
        "matmul": tf.matmul,
    }[name]


@serialisable
class Binary(PlainLayer):
    """A function of two tensors with broadcasting, batch axis included."""

    def __init__(self, function: str, **kwargs: Any) -> None:
        super().__init__({"function": function}, **kwargs)
        self._function = binary_function(function)

    def call(self, inputs: Sequence[Any]) -> Any:
        """Compute the layer."""
        return self._function(inputs[0], inputs[1])


@serialisable
class ConstantOperand(PlainLayer):
    """A binary function of a tensor and a weight, `first` saying whether the weight comes first."""

    def __init__(self, function: str, shape: Sequence[int], first: bool, **kwargs: Any) -> None:
        settings = {"function": function, "shape": list(shape), "first": first}
        super().__init__(settings, **kwargs)
        self._function = binary_function(function)
        self._shape = tuple(shape)
        self._first = first

    def build(self, input_shape: Any) -> None:
        """Create the weight."""
        self.operand = self.add_weight(name="operand", shape=self._shape, initializer="ones")
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        """Compute the layer."""
        if self._first:
            return self._function(self.operand, x)
        return self._function(x, self.operand)


@serialisable
class Constant(PlainLayer):
    """A weight; `repeat` gives it the batch of the tensor it is called on, else unused."""

    def __init__(self, shape: Sequence[int], repeat: bool, **kwargs: Any) -> None:
        super().__init__({"shape": list(shape), "repeat": repeat}, **kwargs)
        self._shape, self._repeat = tuple(shape), repeat

    def build(self, input_shape: Any) -> None:
        """Create the weight."""
        self.operand = self.add_weight(name="operand", shape=self._shape, initializer="zeros")
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        """Compute the layer."""
        if not self._repeat:
            return tf.identity(self.operand)
        batch = x.shape[0] or tf.shape(x)[0]
        return tf.repeat(self.operand[tf.newaxis], batch, axis=0)


@serialisable
class Reduce(PlainLayer):
    """Mean, sum or maximum over axes, which are kept with length 1."""

    def __init__(self, function: str, axes: Sequence[int], **kwargs: Any) -> None:
        super().__init__({"function": function, "axes": list(axes)}, **kwargs)
        self._function = {
            "mean": tf.reduce_mean,
            "sum": tf.reduce_sum,
            "max": tf.reduce_max,
            "min": tf.reduce_min,
        }[function]
        self._axes = list(axes)

    def call(self, x: Any) -> Any:
        """Compute the layer."""
        return self._function(x, axis=self._axes, keepdims=True)
