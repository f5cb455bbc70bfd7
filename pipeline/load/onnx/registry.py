"""Which function imports which ONNX operator."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgec.pipeline.load.onnx.builder import Builder
    from edgec.pipeline.load.onnx.nodes import Node

Importer = Callable[["Builder", "Node"], None]
_IMPORTERS: dict[str, Importer] = {}


class Refusal(Exception):
    """A node cannot be imported; the text is the reason the user sees."""


def importer(*operators: str) -> Callable[[Importer], Importer]:
    """Register a function as the importer of the named operators of the default domain.

    It gets the builder and the node, and either binds every output of the node or raises `Refusal`.
    """

    def register(function: Importer) -> Importer:
        for operator in operators:
            if operator in _IMPORTERS:
                raise ValueError(f"operator {operator} has two importers")
            _IMPORTERS[operator] = function
        return function

    return register


@cache
def importers() -> dict[str, Importer]:
    """Load every module of `ops` and return the importers by operator, sorted."""
    package = importlib.import_module("edgec.pipeline.load.onnx.ops")
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda found: found.name):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return dict(sorted(_IMPORTERS.items()))
