"""Takes typed values out of a TOML table; what is missing, wrong or left over is an error."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from edgec.pipeline.errors import TargetError

_UNITS = {"K": 1024, "M": 1024**2, "G": 1024**3}


def parse_size(text: str | int, where: str) -> int:
    """Bytes of a size such as 65536, "64K" or "1M"."""
    if isinstance(text, int) and not isinstance(text, bool):
        size = text
    else:
        digits = str(text).upper().removesuffix("B").removesuffix("I")
        unit = _UNITS.get(digits[-1:], 1)
        number = digits[:-1] if digits[-1:] in _UNITS else digits
        size = int(number) * unit if number.isdecimal() else 0
    if size <= 0:
        raise TargetError(f"{where}: {text!r} is not a size", "write bytes, or 64K, or 1M")
    return size


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return the hint that a known word is like an unknown one; empty if none is."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else ""


class Table:
    """A table from which each value is taken once; `where` names it in errors."""

    def __init__(self, where: str, values: Any) -> None:
        if not isinstance(values, dict):
            raise TargetError(f"{where}: a table wanted, got {type(values).__name__}")
        self.where = where
        self._values = dict(values)
        self._known: list[str] = []

    def take(self, key: str, kind: type, default: Any = ...) -> Any:
        """Take a value of a type; an absent one is an error without a default."""
        self._known.append(key)
        if key not in self._values:
            if default is ...:
                raise TargetError(f"{self.where}: key {key!r} is missing")
            return default
        value = self._values.pop(key)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise TargetError(
                f"{self.where}: {key} is {type(value).__name__}, {kind.__name__} wanted"
            )
        return value

    def strings(self, key: str, default: Any = ...) -> tuple[str, ...]:
        """Take a list of strings."""
        values = self.take(key, list, default)
        if not all(isinstance(value, str) for value in values):
            raise TargetError(f"{self.where}: {key} is not a list of strings")
        return tuple(values)

    def size(self, key: str, default: Any = ...) -> int | None:
        """Take a size in bytes, such as "64K"."""
        value = self.take(key, object, default)
        return None if value is None else parse_size(value, f"{self.where}: {key}")

    def done(self) -> None:
        """Refuse what nothing has taken."""
        for key in self._values:
            raise TargetError(
                f"{self.where}: unknown key {key!r}",
                suggestion(key, self._known) or f"known keys: {', '.join(self._known)}",
            )


def plain_options(where: str, values: Mapping[str, Any]) -> Mapping[str, str | int]:
    """Return a table all of whose values are strings or whole numbers."""
    for key, value in values.items():
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise TargetError(f"{where}: {key} is neither a string nor a whole number")
    return dict(values)
