"""The shipped JSON schemas, and the strict reader of files that follow one."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgec.pipeline.errors import UsageError

FOLDER = Path(__file__).parent / "schemas"
MAX_BYTES = 64 * 1024 * 1024
"""No file of ours comes near it; a stranger's is not read into memory whole."""


def schema(name: str) -> dict[str, Any]:
    """Return the schema `<name>.schema.json`, as in "bench"."""
    text = (FOLDER / f"{name}.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def checked(data: Any, name: str, where: str, hint: str = "") -> dict[str, Any]:
    """Return `data` if it follows a schema; raise UsageError that says where it does not."""
    import fastjsonschema

    try:
        _validator(name)(data)
    except fastjsonschema.JsonSchemaException as error:
        wanted = schema(name)["properties"]["schema"].get("const", "a file of edgec")
        raise UsageError(f"{where}: not {wanted}: {error.message}", hint) from error
    assert isinstance(data, dict)
    return data


def read_checked(path: Path, name: str, hint: str = "") -> dict[str, Any]:
    """Read a JSON file that follows a schema; raise UsageError if it cannot be read or does not."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path}: larger than {MAX_BYTES:,} bytes")
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not JSON: {error}") from error
    return checked(data, name, str(path), hint)


@functools.cache
def _validator(name: str) -> Callable[[Any], Any]:
    import fastjsonschema

    made: Callable[[Any], Any] = fastjsonschema.compile(schema(name))
    return made
