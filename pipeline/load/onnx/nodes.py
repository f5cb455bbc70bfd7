"""The ONNX graph as plain Python data, after all protobuf and file handling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Node:
    """One operator; an omitted optional input or output is the empty string.

    Attribute values are int, float, str, lists of those, or arrays.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    domain: str = ""

    def input(self, index: int) -> str:
        """The name of an input, or the empty string where it is omitted."""
        return self.inputs[index] if index < len(self.inputs) else ""

    def output(self, index: int) -> str:
        """The name of an output, or the empty string where it is omitted."""
        return self.outputs[index] if index < len(self.outputs) else ""

    def ints(self, name: str, default: list[int]) -> list[int]:
        """An attribute that is a list of integers."""
        return [int(item) for item in self.attributes.get(name, default)]

    def integer(self, name: str, default: int) -> int:
        """An attribute that is an integer."""
        return int(self.attributes.get(name, default))

    def number(self, name: str, default: float) -> float:
        """An attribute that is a number."""
        return float(self.attributes.get(name, default))

    def text(self, name: str, default: str) -> str:
        """An attribute that is a string."""
        return str(self.attributes.get(name, default))


@dataclass(frozen=True, slots=True)
class GraphInput:
    """A declared input; a dimension the file leaves open is its name (possibly empty)."""

    name: str
    shape: tuple[int | str, ...]
    dtype: np.dtype[Any]


@dataclass(frozen=True, slots=True)
class OnnxGraph:
    """Nodes in execution order, with constants by name.

    `shapes` holds what shape inference found for intermediate values, None for unknown dimensions.
    """

    name: str
    opset: int
    inputs: tuple[GraphInput, ...]
    outputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    constants: dict[str, Array]
    shapes: dict[str, tuple[int | None, ...]]
