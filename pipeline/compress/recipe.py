"""Reads recipes: which steps compress a model, in which order, with which parameters.

    description = "half the channels, distilled from the float model, then QAT"

    [[step]]
    use = "prune-channels"
    keep = 0.5

    [[step]]
    use = "qat"
    epochs = 5

Shipped recipes are the files of `recipes/`, and are called by name.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgec.pipeline.compress.technique import Technique, build_step, suggestion
from edgec.pipeline.errors import UsageError

SHIPPED = Path(__file__).parent / "recipes"

_KEYS = ("description", "step")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A named list of steps, checked: the last one, and only that one, gives the `.tflite`."""

    name: str
    description: str
    steps: tuple[Technique, ...]

    def as_tables(self) -> list[dict[str, Any]]:
        """Return every step with all its parameters, as a recipe's `step` tables."""
        return [{"use": step.name, **asdict(step)} for step in self.steps]


def recipe_names() -> list[str]:
    """Return the names of the shipped recipes, sorted."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def load_recipe(name_or_path: str | Path) -> Recipe:
    """Load a shipped recipe by name, or a recipe file by its path (ending in .toml)."""
    path = Path(name_or_path)
    if path.suffix != ".toml":
        if str(name_or_path) not in recipe_names():
            raise UsageError(
                f"unknown recipe {str(name_or_path)!r}",
                suggestion(str(name_or_path), recipe_names()),
            )
        path = SHIPPED / f"{name_or_path}.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{path}: no such recipe file") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    return parse_recipe(path.stem, table, path.name)


def parse_recipe(name: str, table: dict[str, Any], where: str) -> Recipe:
    """Check a recipe's table and build its steps; raise UsageError with the step's number."""
    for key in table:
        if key not in _KEYS:
            raise UsageError(f"{where}: unknown key {key!r}", suggestion(key, _KEYS))
    description = table.get("description", "")
    entries = table.get("step")
    if not isinstance(description, str):
        raise UsageError(f"{where}: description: text wanted, got {description!r}")
    if not isinstance(entries, list) or not entries:
        raise UsageError(f"{where}: no steps", 'a step is a table: [[step]] use = "ptq"')
    steps = tuple(_step(entry, f"{where}: step {i}") for i, entry in enumerate(entries, start=1))
    _check_order(steps, where)
    return Recipe(name, description, steps)


def as_toml(recipe: Recipe) -> str:
    """Return a recipe as a file's text, every parameter written out."""
    import tomli_w

    described = tomli_w.dumps({"description": recipe.description})
    return f"{described}\n{step_lines(recipe.as_tables())}"


def step_lines(steps: Sequence[Mapping[str, Any]]) -> str:
    """Return tables of steps as a recipe's lines, to be put after others."""
    import tomli_w

    texts = []
    for step in steps:
        text = tomli_w.dumps({k: v for k, v in step.items() if v not in (None, {})})
        texts.append("[[step]]\n" + re.sub(r"^\[", "[step.", text, flags=re.MULTILINE))
    return "\n".join(texts)


def _step(entry: Any, where: str) -> Technique:
    if not isinstance(entry, dict) or not isinstance(entry.get("use"), str):
        raise UsageError(f"{where}: names no technique", 'as in: [[step]] use = "ptq"')
    return build_step(entry["use"], {k: v for k, v in entry.items() if k != "use"}, where)


def _check_order(steps: Sequence[Technique], where: str) -> None:
    for number, step in enumerate(steps[:-1], start=1):
        if step.gives == "tflite":
            raise UsageError(
                f"{where}: step {number} ({step.name}) gives the finished model, "
                f"so step {number + 1} ({steps[number].name}) has nothing to work on",
                f"put {step.name!r} last",
            )
    if steps[-1].gives != "tflite":
        raise UsageError(
            f"{where}: the last step ({steps[-1].name}) leaves a float model",
            'end the recipe with "ptq", "qat" or another step that quantises',
        )
