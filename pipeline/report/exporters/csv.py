"""CSV: a row a result, for spreadsheets and data frames."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from edgec.pipeline.report.case import Case

HEAD = (
    "model", "target", "board", "outcome", "unit", "median", "min", "p95", "mad", "samples",
    "macs", "flash_bytes", "ram_bytes", "arena_bytes", "stack_bytes", "accuracy", "optimize",
    "compiler", "model_sha256", "commit", "time",
)  # fmt: skip


def export(cases: Sequence[Case]) -> str:
    """Return a table with a head; what was not measured is empty."""
    text = io.StringIO()
    table = csv.DictWriter(text, HEAD, restval="", lineterminator="\n")
    table.writeheader()
    for case in cases:
        table.writerow(_row(case))
    return text.getvalue()


def _row(case: Case) -> dict[str, object]:
    row: dict[str, object] = {
        "model": case.model,
        "target": case.target,
        "board": case.board,
        "outcome": case.outcome.value,
    }
    result = case.result
    if result is None:
        return row
    counted, accuracy = result["latency"], result["accuracy"] or {}
    if counted is not None:
        stats = counted["stats"]
        row |= {key: stats[key] for key in ("median", "min", "p95", "mad")}
        row |= {"unit": counted["unit"], "samples": stats["n"]}
    row |= {k: v for k, v in result["memory"].items() if k in HEAD and v is not None}
    return row | {
        "macs": result["model"]["macs"],
        "accuracy": accuracy.get("device") or accuracy.get("reference") or "",
        "optimize": result["build"]["optimize"],
        "compiler": result["build"]["compiler"] or "",
        "model_sha256": result["model"]["sha256"],
        "commit": result.get("git", {}).get("commit", ""),
        "time": result.get("time", ""),
    }
