"""What a step of a recipe is, and the list of all there are.

A step is one module of `edgec.pipeline.compress.steps` holding one frozen dataclass, decorated
with `@technique("name")`. Its fields are the parameters a recipe may set, its docstring is the
user's documentation, and `run` is the work, done in the worker process, where TensorFlow may be
imported. Modules are found by their place in the package; nothing else lists them, and importing
one imports no framework.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
import types
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from edgec.pipeline.errors import UsageError

if TYPE_CHECKING:
    from edgec.pipeline.compress.work import Work

_KINDS = {int: "integer", float: "number", str: "text", bool: "true | false"}

Gives = Literal["float", "tflite"]


@dataclass(frozen=True, slots=True)
class Technique(ABC):
    """Base of all steps; a subclass's fields are its parameters, each with a default.

    `gives` says what the step leaves behind: a float model that another step may take further, or
    the finished `.tflite`, which ends the recipe. `trains` marks steps that need labelled data;
    `compiles` is whether the `.tflite` becomes C, or is for an interpreter only.
    """

    name: ClassVar[str] = ""
    gives: ClassVar[Gives] = "float"
    trains: ClassVar[bool] = False
    compiles: ClassVar[bool] = True

    def problem(self) -> str:
        """Return what is wrong with the parameters as a sentence, or nothing."""
        return ""

    def files(self) -> tuple[Path, ...]:
        """Return the files that the step reads beside the model and the data."""
        return ()

    @abstractmethod
    def run(self, work: Work) -> None:
        """Change `work.model`, or set `work.tflite` where the step `gives` that."""


StepT = TypeVar("StepT", bound=type[Technique])
_REGISTRY: dict[str, type[Technique]] = {}


def technique(name: str) -> Callable[[StepT], StepT]:
    """Enter a step under the name that recipes call it by."""

    def enter(cls: StepT) -> StepT:
        if name in _REGISTRY:
            raise ValueError(f"{name} is registered twice")
        cls.name = name
        _REGISTRY[name] = cls
        return cls

    return enter


@cache
def techniques() -> Mapping[str, type[Technique]]:
    """Return all steps by name, in alphabetical order."""
    package = importlib.import_module("edgec.pipeline.compress.steps")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"edgec.pipeline.compress.steps.{module.name}")
    return dict(sorted(_REGISTRY.items()))


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a step: its name, what may be given, and what it is otherwise."""

    name: str
    kind: str
    default: Any


def parameters(cls: type[Technique]) -> tuple[Parameter, ...]:
    """Return a step's parameters in the order of its class."""
    hints = typing.get_type_hints(cls)
    return tuple(Parameter(f.name, kind_name(hints[f.name]), _default(f)) for f in fields(cls))


def documentation(cls: type[Technique]) -> str:
    """Return a step's docstring."""
    return inspect.getdoc(cls) or ""


def find_technique(name: str, where: str) -> type[Technique]:
    """Return the step called `name`; raise UsageError where there is none."""
    known = techniques()
    if name not in known:
        raise UsageError(f"{where}: unknown step {name!r}", suggestion(name, known))
    return known[name]


def build_step(name: str, table: Mapping[str, Any], where: str) -> Technique:
    """Return the step `name` with the parameters of a recipe's table.

    Raises UsageError for an unknown step, an unknown key, or a value of another kind or range.
    """
    cls = find_technique(name, where)
    hints = typing.get_type_hints(cls)
    allowed = [f.name for f in fields(cls)]
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in allowed:
            raise UsageError(
                f"{where}: step {name!r} has no parameter {key!r}", suggestion(key, allowed)
            )
        values[key] = _value(hints[key], value, f"{where}: {name}.{key}")
    step = cls(**values)
    if wrong := step.problem():
        raise UsageError(f"{where}: step {name!r}: {wrong}")
    return step


def suggestion(got: str, known: Mapping[str, Any] | Sequence[str]) -> str:
    """Return a hint that names the nearest of the known names, or all of them."""
    close = difflib.get_close_matches(got, list(known), 1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(known)}" if known else "it takes no parameters"


def kind_name(hint: Any) -> str:
    """Return a parameter's type as a user reads it."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return " | ".join(map(repr, inner))
    if origin in (typing.Union, types.UnionType):
        return " | ".join("none" if a is type(None) else kind_name(a) for a in inner)
    if origin is tuple:
        return f"list of {kind_name(inner[0])}"
    if origin is dict:
        return f"table of {kind_name(inner[1])}"
    return _KINDS[hint]


def _default(field: Field[Any]) -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default


def _value(hint: Any, value: Any, where: str) -> Any:
    """Return a TOML value as the type of a parameter."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        return _value(next(a for a in inner if a is not type(None)), value, where)
    if origin is Literal and value in inner:
        return value
    if origin is tuple and isinstance(value, (list, tuple)):
        return tuple(_value(inner[0], entry, f"{where}[{i}]") for i, entry in enumerate(value))
    if origin is dict and isinstance(value, dict):
        return {k: _value(inner[1], entry, f"{where}.{k}") for k, entry in value.items()}
    if hint is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if origin is None and type(value) is hint:
        return value
    raise UsageError(f"{where}: {kind_name(hint)} wanted, got {value!r}")
