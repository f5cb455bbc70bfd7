"""What an exporter is, and how it is found. Adding a format is adding one module here."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Sequence
from typing import Protocol, cast

from edgec.pipeline.errors import UsageError
from edgec.pipeline.report import exporters
from edgec.pipeline.report.case import Case


class Exporter(Protocol):
    """The function an exporter module defines."""

    def export(self, cases: Sequence[Case]) -> str:
        """Return the text of the file."""


def format_names() -> list[str]:
    """Return the names of all formats, sorted."""
    names = (module.name for module in pkgutil.iter_modules(exporters.__path__))
    return sorted(name for name in names if name != "base")


def find_exporter(name: str) -> Exporter:
    """Return the exporter that the module `exporters/<name>.py` implements."""
    if name not in format_names():
        raise UsageError(f"unknown format {name!r}", f"known formats: {', '.join(format_names())}")
    return cast(Exporter, importlib.import_module(f"edgec.pipeline.report.exporters.{name}"))


def once_each(cases: Sequence[Case]) -> list[Case]:
    """Return the cases with a result; raise UsageError if two have one name."""
    counted = [case for case in cases if case.result is not None]
    twice = [name for name, times in Counter(c.name for c in counted).items() if times > 1]
    if twice:
        raise UsageError(
            f"{twice[0]} is there more than once, and this format tells results by name alone",
            "give one result of each model and target",
        )
    return counted
