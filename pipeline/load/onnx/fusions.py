"""Rewrites of the ONNX graph that give Keras one layer where the exporter wrote several nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from edgec.pipeline.load.onnx.nodes import Array, Node, OnnxGraph

AFFINE = ("Add", "Sub", "Mul", "Div")


@dataclass(slots=True)
class Editor:
    """The graph under rewriting: its constants, and who makes and who reads each value."""

    constants: dict[str, Array]
    makers: dict[str, Node]
    readers: Counter[str]
    shapes: dict[str, tuple[int | None, ...]]
    inputs: frozenset[str]
    serial: int = 0

    @classmethod
    def of(cls, graph: OnnxGraph) -> Editor:
        """Index a graph."""
        readers = Counter(name for node in graph.nodes for name in node.inputs)
        readers.update(graph.outputs)
        makers = {name: node for node in graph.nodes for name in node.outputs if name}
        shapes = dict(graph.shapes)
        for item in graph.inputs:
            shapes[item.name] = tuple(d if isinstance(d, int) else None for d in item.shape)
        inputs = frozenset(item.name for item in graph.inputs)
        return cls(dict(graph.constants), makers, readers, shapes, inputs)

    def sole(self, name: str, *operators: str) -> Node | None:
        """The node of one of `operators` that makes `name` for a single reader, else None."""
        node = self.makers.get(name)
        if node is None or node.domain or node.op not in operators or self.readers[name] != 1:
            return None
        return node

    def constant(self, name: str) -> Array | None:
        """The constant of that name, or None."""
        return self.constants.get(name)

    def scalar(self, name: str) -> float | None:
        """The only element of the constant of that name, or None."""
        array = self.constants.get(name)
        if array is None or array.size != 1 or array.ndim > 1 or array.dtype.kind not in "fi":
            return None
        return float(array.reshape(-1)[0])

    def add_constant(self, array: Array) -> str:
        """Add a constant under a new name."""
        name = self.new_name()
        self.constants[name] = np.asarray(array, np.float32)
        return name

    def new_name(self) -> str:
        """Return a name that no value has."""
        name = ""
        while not name or name in self.constants or name in self.makers or name in self.readers:
            self.serial += 1
            name = f"fused_{self.serial}"
        return name


@dataclass(frozen=True, slots=True)
class Rewrite:
    """New nodes, the last of which makes what the matched node made, for `gone` and the match.

    What the others make is read once, by the next.
    """

    nodes: tuple[Node, ...]
    gone: tuple[Node, ...]


Rule = Callable[[Editor, Node], Rewrite | None]


def apply_rule(rule: Rule, graph: OnnxGraph) -> OnnxGraph:
    """Apply a rule wherever it fits, in execution order; rewritten nodes can match again."""
    editor = Editor.of(graph)
    result: list[Node] = []
    gone: set[str] = set()
    for node in graph.nodes:
        found = None if node.domain else rule(editor, node)
        if found is None:
            result.append(node)
            continue
        gone.update(item.outputs[0] for item in found.gone)
        result.extend(found.nodes)
        for new in found.nodes:
            editor.makers.update(dict.fromkeys(new.outputs, new))
            if new.outputs != node.outputs:
                editor.readers.update(new.outputs)
    nodes = tuple(node for node in result if node.outputs[0] not in gone)
    return replace(graph, nodes=nodes, constants=editor.constants, shapes=editor.shapes)


def fuse(graph: OnnxGraph) -> OnnxGraph:
    """Apply all rules; the graph computes the same."""
    from edgec.pipeline.load.onnx import (
        activation_patterns,
        affine_motion,
        linear_fusions,
        normalization_patterns,
    )

    modules = activation_patterns, normalization_patterns, affine_motion, linear_fusions
    for rule in (rule for module in modules for rule in module.RULES):
        graph = apply_rule(rule, graph)
    return graph
