"""Recognises activation functions that exporters write as several nodes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgec.pipeline.load.onnx.fusions import Editor, Rewrite, Rule
from edgec.pipeline.load.onnx.nodes import Node


@dataclass(frozen=True, slots=True)
class Product:
    """A product as its constant factor, its other factors, and the nodes it was written with."""

    scale: float
    factors: Counter[str]
    nodes: tuple[Node, ...]


def _product(editor: Editor, node: Node) -> Product:
    """Collect the factors of a tree of Mul, and of Div by constants."""
    scale, factors, nodes = 1.0, Counter[str](), [node]
    names = list(node.inputs[:2])
    divisor = editor.scalar(names[1]) if node.op == "Div" else None
    if node.op == "Div":
        if not divisor:
            return Product(1.0, Counter(node.outputs), (node,))
        scale /= divisor
        del names[1]
    for name in names:
        number = editor.scalar(name)
        inner = editor.sole(name, "Mul", "Div")
        if number is not None:
            scale *= number
        elif inner is not None:
            part = _product(editor, inner)
            scale *= part.scale
            factors += part.factors
            nodes.extend(() if part.factors == Counter([name]) else part.nodes)
        else:
            factors[name] += 1
    return Product(scale, factors, tuple(nodes))


def _sum_with(editor: Editor, name: str, number: float) -> tuple[str, Node] | None:
    """What a constant of this value is added to, to make `name` for one reader."""
    node = editor.sole(name, "Add")
    if node is None:
        return None
    for left, right in (node.inputs, node.inputs[::-1]):
        found = editor.scalar(right)
        if found is not None and _near(found, number):
            return left, node
    return None


def _near(found: float, wanted: float) -> bool:
    return math.isclose(found, wanted, rel_tol=1e-4)


def _as(
    node: Node, op: str, source: str, gone: list[Node], attributes: Mapping[str, Any] | None = None
) -> Rewrite:
    fused = Node(node.name, op, (source,), node.outputs, attributes or {})
    return Rewrite((fused,), tuple(item for item in gone if item is not node))


def gelu(editor: Editor, node: Node) -> Rewrite | None:
    """x / 2 * (1 + erf(x / sqrt 2)), and the form with tanh."""
    if node.op not in ("Mul", "Div"):
        return None
    product = _product(editor, node)
    if product.factors.total() != 2 or not _near(product.scale, 0.5):
        return None
    for name in product.factors:
        found = _sum_with(editor, name, 1.0)
        if found is None:
            continue
        (source,) = (product.factors - Counter([name])).elements()
        gone = [*product.nodes, found[1]]
        for op, match, form in (("Erf", _erf_argument, "none"), ("Tanh", _tanh_argument, "tanh")):
            inner = editor.sole(found[0], op)
            nodes = match(editor, inner.inputs[0], source) if inner is not None else None
            if inner is not None and nodes is not None:
                return _as(node, "Gelu", source, [*gone, inner, *nodes], {"approximate": form})
    return None


def _erf_argument(editor: Editor, name: str, source: str) -> tuple[Node, ...] | None:
    node = editor.sole(name, "Mul", "Div")
    if node is None:
        return None
    product = _product(editor, node)
    fits = product.factors == Counter([source]) and _near(product.scale, math.sqrt(0.5))
    return product.nodes if fits else None


def _tanh_argument(editor: Editor, name: str, source: str) -> tuple[Node, ...] | None:
    """sqrt(2 / pi) * (x + 0.044715 * x ** 3)."""
    outer = editor.sole(name, "Mul")
    product = None if outer is None else _product(editor, outer)
    if product is None or not _near(product.scale, math.sqrt(2 / math.pi)):
        return None
    total = editor.sole("".join(product.factors), "Add")
    if total is None or source not in total.inputs:
        return None
    cubic = next((term for term in total.inputs if term != source), source)
    node = editor.sole(cubic, "Mul")
    term = None if node is None else _product(editor, node)
    if term is None or not _near(term.scale, 0.044715):
        return None
    powers: tuple[Node, ...] = ()
    if term.factors.total() == 1:
        power = editor.sole("".join(term.factors), "Pow")
        if power is None or power.inputs[0] != source or editor.scalar(power.inputs[1]) != 3:
            return None
        powers = (power,)
    elif term.factors != Counter({source: 3}):
        return None
    return (*product.nodes, total, *term.nodes, *powers)


def swish(editor: Editor, node: Node) -> Rewrite | None:
    """x * sigmoid(x), and x * hard sigmoid(x) with slope 1/6."""
    if node.op != "Mul" or len(node.inputs) != 2:
        return None
    for left, right in (node.inputs, node.inputs[::-1]):
        gate = editor.sole(right, "Sigmoid", "HardSigmoid")
        if gate is None or gate.inputs[0] != left:
            continue
        if gate.op == "Sigmoid":
            return _as(node, "Swish", left, [gate])
        if _near(gate.number("alpha", 0.2), 1 / 6) and _near(gate.number("beta", 0.5), 0.5):
            return _as(node, "HardSwish", left, [gate])
    return None


def hard_swish(editor: Editor, node: Node) -> Rewrite | None:
    """clip(x + 3, 0, 6) / 6, and x times that."""
    if node.op not in ("Mul", "Div"):
        return None
    product = _product(editor, node)
    if not _near(product.scale, 1 / 6) or product.factors.total() > 2:
        return None
    for name in product.factors:
        clip = editor.sole(name, "Clip")
        if clip is None or [editor.scalar(clip.input(i)) for i in (1, 2)] != [0.0, 6.0]:
            continue
        found = _sum_with(editor, clip.inputs[0], 3.0)
        if found is None:
            continue
        source, addition = found
        gone = [*product.nodes, clip, addition]
        others = product.factors - Counter([name])
        if not others:
            return _as(node, "HardSigmoid", source, gone, {"alpha": 1 / 6, "beta": 0.5})
        if others == Counter([source]):
            return _as(node, "HardSwish", source, gone)
    return None


def limits(editor: Editor, node: Node) -> Rewrite | None:
    """Max and Min with a number: Clip, one for both where they follow one another."""
    if node.op not in ("Max", "Min") or len(node.inputs) != 2:
        return None
    side, other = (1, 2) if node.op == "Max" else (2, 1)
    for source, name in (node.inputs, node.inputs[::-1]):
        bound = editor.scalar(name)
        if bound is None or source in editor.constants:
            continue
        bounds = {side: name, other: ""}
        inner = editor.sole(source, "Clip")
        gone: list[Node] = []
        if inner is not None and not inner.input(side):
            opposite = editor.scalar(inner.input(other))
            if opposite is not None and (opposite - bound) * (1 if side == 1 else -1) >= 0:
                bounds[other], source = inner.input(other), inner.inputs[0]
                gone = [inner]
        clip = Node(node.name, "Clip", (source, bounds[1], bounds[2]), node.outputs)
        return Rewrite((clip,), tuple(gone))
    return None


RULES: tuple[Rule, ...] = (limits, gelu, hard_swish, swish)
