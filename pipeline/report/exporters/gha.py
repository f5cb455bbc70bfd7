"""github-action-benchmark, `tool: customSmallerIsBetter`."""

from __future__ import annotations

import json
from collections.abc import Sequence

from edgec.pipeline.report.case import Case
from edgec.pipeline.report.exporters.base import once_each

_SIZES = {"flash": "flash_bytes", "RAM": "ram_bytes", "stack": "stack_bytes"}


def export(cases: Sequence[Case]) -> str:
    """Return a list of figures of which smaller is better: counts or times, and bytes."""
    entries = []
    for case in once_each(cases):
        result = case.result
        assert result is not None
        counted, build = result["latency"], result["build"]
        extra = f"{build['compiler']}, {build['optimize']}, {result['model']['sha256'][:12]}"
        if counted is not None:
            stats = counted["stats"]
            entry = {
                "name": case.name,
                "unit": counted["unit"],
                "value": stats["median"],
                "extra": extra,
            }
            if stats["n"] > 1:
                entry["range"] = f"± {stats['mad']:g}"
            entries.append(entry)
        entries += [
            {"name": f"{case.name} {name}", "unit": "bytes", "value": result["memory"][key]}
            for name, key in _SIZES.items()
            if result["memory"][key] is not None
        ]
    return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"
