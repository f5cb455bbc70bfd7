"""Every error says what is wrong in the same voice, and every class has its exit code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from edgec.pipeline import errors
from tests.support.modules import ROOT, Module, modules


def classes() -> dict[str, type[errors.EdgecError]]:
    return {
        name: found
        for name, found in vars(errors).items()
        if isinstance(found, type) and issubclass(found, errors.EdgecError)
    }


def literal(node: ast.expr) -> str:
    """The text of a string literal, with `{}` where an f-string has a value."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(literal(part) for part in node.values)
    return "{}"


def raised(module: Module) -> Iterator[tuple[int, str, str]]:
    """Line, message and hint of every error of the tree made in a module."""
    for node in ast.walk(module.tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        if node.func.id in classes() and node.args:
            hints = [k.value for k in node.keywords if k.arg == "hint"] + node.args[1:2]
            yield node.lineno, literal(node.args[0]), literal(hints[0]) if hints else ""


def faults(text: str) -> Iterator[str]:
    sentence = text.partition("\n")[0]  # a list of what is wrong may follow
    first = re.match(r"[A-Za-z]+", sentence)
    if first and re.fullmatch(r"[A-Z][a-z]+", first.group()):
        yield "starts with a capital"
    if sentence.endswith((".", "!")) and not sentence.endswith("..."):
        yield "ends with a full stop"


def test_messages_and_hints_are_lower_case_without_a_full_stop() -> None:
    bad = [
        f"{module.where}:{line}: {text!r} {fault}"
        for module in modules().values()
        for line, *texts in raised(module)
        for text in texts
        for fault in faults(text)
    ]
    assert not bad, "\n".join(bad)


@pytest.mark.parametrize("text", ["Model is bad", "model is bad.", "these are bad.\n  a"])
def test_a_message_in_another_voice_is_found(text: str) -> None:
    assert list(faults(text))


def test_the_tree_in_the_docstring_is_the_tree_in_the_code() -> None:
    drawn = dict(re.findall(r"(\w+Error) +exit (\d)", errors.__doc__ or ""))
    assert drawn == {name: str(found.exit_code) for name, found in classes().items()}


def test_the_manual_lists_every_exit_code() -> None:
    manual = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| (\d+) \|", manual, re.MULTILINE))
    assert listed == {str(found.exit_code) for found in classes().values()} | {"0", "130"}


def test_an_error_prints_its_hint_on_a_line_of_its_own() -> None:
    error = errors.UsageError("a is wrong", "write b")
    assert str(error) == "a is wrong\nhint: write b"
    assert str(errors.UsageError("a is wrong")) == "a is wrong"
