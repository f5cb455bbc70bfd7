"""Bencher Metric Format: `bencher run --adapter json --file FILE`."""

from __future__ import annotations

import json
from collections.abc import Sequence

from edgec.pipeline.report.case import Case
from edgec.pipeline.report.document import Document
from edgec.pipeline.report.exporters.base import once_each

_SIZES = {"flash-size": "flash_bytes", "ram": "ram_bytes", "stack": "stack_bytes"}


def export(cases: Sequence[Case]) -> str:
    """Return measures by model and target: latency in ns, or a count of its unit, and bytes."""
    benchmarks = {case.name: _measures(case.result) for case in once_each(cases) if case.result}
    return json.dumps(benchmarks, indent=2) + "\n"


def _measures(result: Document) -> dict[str, dict[str, float]]:
    measures: dict[str, dict[str, float]] = {}
    counted = result["latency"]
    if counted is not None:
        stats = counted["stats"]
        name = "latency" if counted["unit"] == "ns" else counted["unit"]
        measures[name] = {
            "value": stats["median"],
            "lower_value": stats["min"],
            "upper_value": stats["p95"],
        }
    for name, key in _SIZES.items():
        if result["memory"][key] is not None:
            measures[name] = {"value": result["memory"][key]}
    accuracy = result["accuracy"]
    if accuracy is not None:
        share = accuracy["device"] if accuracy["device"] is not None else accuracy["reference"]
        measures["accuracy"] = {"value": share}
    return measures
