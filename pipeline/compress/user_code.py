"""Runs a function of the user's own: a loader of data or a metric, named `module:function`.

The module is looked up in the user's working directory first, then among what is installed. What
it raises is shown as its own error, with the line it came from.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edgec.pipeline.errors import DataError, UsageError


def user_function(name: str, search_path: Path) -> Callable[..., Any]:
    """Return the function that `module:function` names, running the module, or raise an error.

    Raises UsageError where the name has another form or nothing is found under it, and DataError
    where the module itself fails.
    """
    module_name, _, attribute = name.partition(":")
    if not all(part.isidentifier() for part in (*module_name.split("."), attribute)):
        raise UsageError(f"{name!r}: not the name of a function", "as in: module:function")
    with _first_on_path(search_path), _blaming(name):
        try:
            module = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
                raise
            raise UsageError(
                f"{name}: no module {error.name!r} in {search_path} and none installed",
                "run edgec in the folder of the file",
            ) from None
    function = getattr(module, attribute, None)
    if not callable(function):
        have = "is no function" if hasattr(module, attribute) else "is not there"
        raise UsageError(f"{name}: {attribute!r} {have} in {getattr(module, '__file__', '?')}")
    return _blamed(name, function, search_path)


def _blamed(name: str, function: Callable[..., Any], search_path: Path) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        with _first_on_path(search_path), _blaming(name):
            return function(*arguments)

    call.__dict__.update(getattr(function, "__dict__", {}))
    return call


@contextmanager
def _first_on_path(folder: Path) -> Iterator[None]:
    """Let imports find the folder's modules, also those the function imports when it runs."""
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))


@contextmanager
def _blaming(name: str) -> Iterator[None]:
    """Turn what the user's code raises into a DataError that says where in it."""
    try:
        yield
    except (UsageError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        text = " ".join(str(error).split())
        raise DataError(
            f"{name}: your code raised {type(error).__name__} at {_place(error)}: {text}",
            "this is an error in the function given, not in the model or in edgec",
        ) from error


def _place(error: BaseException) -> str:
    """Return the innermost line outside of Python's and of installed packages."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}:{error.lineno}"
    foreign = (__file__, "<frozen", importlib.__file__)
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(foreign)
    ]
    own = [frame for frame in frames if "site-packages" not in frame.filename]
    last = (own or frames or traceback.extract_tb(error.__traceback__))[-1]
    return f"{Path(last.filename).name}:{last.lineno}"
