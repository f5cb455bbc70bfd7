"""A result as Markdown: `report.md`, and what CI shows in its summary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edgec.pipeline.report.result import Result
from edgec.pipeline.report.tables import facts, layer_rows


def markdown(result: Result) -> str:
    """Return the report of a build."""
    parts = [f"# {result.model} on {result.target}\n"]
    if result.synthetic:
        parts.append(
            "> **Calibrated on synthetic inputs.** Sizes and counts hold; the accuracy does not. "
            "Build again with `--calibration`.\n"
        )
    parts += [f"> {warning}\n" for warning in result.warnings]
    parts.append(table(("", ""), facts(result)))
    head, rows = layer_rows(result)
    parts.append("## Layers\n")
    parts.append(table(head, rows))
    return "\n".join(parts)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; bars in cells are escaped."""
    lines = [_row(head), _row(["---"] * len(head)), *(_row(row) for row in rows)]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
