"""The modules that `edgec` is made of, as syntax trees: what tests of the house's laws read."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@cache
def pyproject() -> dict[str, Any]:
    """Return `pyproject.toml`."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module; `eager` is false in functions and under TYPE_CHECKING."""

    module: str
    line: int
    eager: bool
    relative: bool


@dataclass(frozen=True, slots=True, eq=False)
class Module:
    """One source file under the name it is imported by."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def where(self) -> str:
        """The path as the repository has it."""
        return str(self.path.relative_to(ROOT))

    def imports(self) -> Iterator[Import]:
        """Yield every import; `from a import b` counts as `a.b` where that is a module."""
        yield from _imports(self.tree, True)


def _imports(node: ast.AST, eager: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, eager, False)
        elif isinstance(child, ast.ImportFrom):
            for alias in child.names:
                inner = f"{child.module}.{alias.name}"
                name = inner if inner in paths() else child.module or ""
                yield Import(name, child.lineno, eager, child.level > 0)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            for statement in child.body:
                yield from _imports(ast.Module([statement], []), False)
            for statement in child.orelse:
                yield from _imports(ast.Module([statement], []), eager)
        else:
            lazy = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(child, eager and not lazy)


@cache
def paths() -> dict[str, Path]:
    """Return every module's file by module name, from the folders `pyproject.toml` maps."""
    found: dict[str, Path] = {}
    for package, folder in pyproject()["tool"]["setuptools"]["package-dir"].items():
        root = ROOT / folder
        files = root.glob("*.py") if package == "edgec" else root.rglob("*.py")
        for path in files:
            parts = path.relative_to(root).with_suffix("").parts
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            found[".".join((package, *parts))] = path
    return dict(sorted(found.items()))


@cache
def modules() -> dict[str, Module]:
    """Return every module, parsed."""
    return {
        name: Module(name, path, ast.parse(path.read_text(encoding="utf-8"), str(path)))
        for name, path in paths().items()
    }
