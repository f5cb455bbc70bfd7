"""Markdown for a pull request or `$GITHUB_STEP_SUMMARY`, which takes 1 MiB at most."""

from __future__ import annotations

from collections.abc import Sequence

from edgec.pipeline.report.case import Case, Outcome
from edgec.pipeline.report.document import Document
from edgec.pipeline.report.markdown import table

LAYERS = 20
"""So many layers are listed of each result, those that take most."""

_MARKS = {Outcome.PASSED: "✅", Outcome.ABSENT: "⏭️", Outcome.QUARANTINED: "⏭️"}
_LAB = {Outcome.INFRASTRUCTURE, Outcome.INVALID}


def export(cases: Sequence[Case]) -> str:
    """Return a table of all results, what went wrong, and each one's costliest layers."""
    head = ("", "model", "target", "board", "outcome", "count", "flash", "RAM", "stack", "accuracy")
    parts = ["# edgec\n", table(head, [_row(case) for case in cases])]
    parts += [_message(case) for case in cases if case.message]
    parts += [_layers(case, case.result) for case in cases if case.result is not None]
    return "\n".join(parts)


def _row(case: Case) -> tuple[str, ...]:
    mark = _MARKS.get(case.outcome, "⚠️" if case.outcome in _LAB else "❌")
    head = (mark, case.model, case.target, case.board, case.outcome.value)
    if case.result is None:
        return (*head, "", "", "", "", "")
    counted, memory, accuracy = (case.result[k] for k in ("latency", "memory", "accuracy"))
    count = f"{counted['stats']['median']:,.0f} {counted['unit']}" if counted else ""
    sizes = (memory["flash_bytes"], memory["ram_bytes"], memory["stack_bytes"])
    share = "" if accuracy is None else f"{accuracy['device'] or accuracy['reference']:.2%}"
    return (*head, count, *("" if size is None else f"{size:,}" for size in sizes), share)


def _message(case: Case) -> str:
    where = f"on {case.board}" if case.board else "on no board"
    said = case.message.replace("```", "'''")[:4000]
    return f"**{case.name}** {where}: {case.outcome.value}\n\n```\n{said}\n```\n"


def _layers(case: Case, result: Document) -> str:
    counted = result["latency"]
    if counted is None:
        return ""
    layers = sorted(result["layers"], key=lambda layer: -(layer["count"] or 0))
    rows = [
        (str(r["index"]), r["op"], r["kernel"], f"{r['macs']:,}", f"{r['count'] or 0:,}")
        for r in layers[:LAYERS]
    ]
    left = len(layers) - len(rows)
    more = f"\n{left} more layers take less.\n" if left else ""
    grid = table(("#", "op", "kernel", "MACs", counted["unit"]), rows)
    return f"<details><summary>layers of {case.name}</summary>\n\n{grid}{more}\n</details>\n"
