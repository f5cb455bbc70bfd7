"""What every loader of a float model hands on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Port:
    """One input or output of the source model.

    `shape` is the source file's own, batch included (1 where the file leaves it open); `to_keras`
    is the permutation of axes that turns an array of the source layout into the Keras model's
    (identity where they agree), so `x.transpose(to_keras)` is what the Keras model takes.
    """

    name: str
    shape: tuple[int, ...]
    to_keras: tuple[int, ...]

    @property
    def keras_shape(self) -> tuple[int, ...]:
        """The shape in the Keras model's layout, batch included."""
        return tuple(self.shape[axis] for axis in self.to_keras)


@dataclass(frozen=True, slots=True)
class FloatModel:
    """A trainable `tf_keras.Model`, and how its ports relate to the source file's."""

    keras: Any
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
