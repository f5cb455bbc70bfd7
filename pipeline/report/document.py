"""A result as `edgec.bench/1`: the one JSON format of bundles, benches, labs and comparisons."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import edgec
from edgec.pipeline.passes import Saving
from edgec.pipeline.report.result import Accuracy, Layer, Memory, Result
from edgec.pipeline.report.schema import read_checked
from edgec.targets.identity import uid_hash
from edgec.targets.timing import spread

SCHEMA = "edgec.bench/1"

Document = Mapping[str, Any]
"""An `edgec.bench/1` object, as `schemas/bench.schema.json` describes it."""

_TIMERS = {
    "clock": "the monotonic clock",
    "dwt": "the core's cycle counter, DWT",
    "systick": "SysTick, at the core's clock",
    "timer": "a timer at the core's clock",
    "cpu": "the core's cycle counter",
}


def document(result: Result, stamp: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a result as JSON-ready data.

    `stamp` says when and of which commit it is; a bundle has none, since equal builds are equal.
    """
    return {
        "schema": SCHEMA,
        **(stamp or {}),
        "tool": {"name": "edgec", "version": edgec.__version__},
        "model": _model(result),
        "target": _target(result),
        "build": {
            "backend": result.backend,
            "threads": result.threads,
            "compiler": result.compiler or None,
            "flags": {name: list(flags) for name, flags in result.flags.items()},
            "optimize": result.optimize,
            "rounding": result.rounding,
            "savings": [asdict(saving) for saving in result.savings],
        },
        "method": _method(result),
        "latency": latency(result.unit, result.samples) if result.unit else None,
        "layers": [{**asdict(layer), "output": list(layer.output)} for layer in result.layers],
        "memory": asdict(result.memory),
        "accuracy": asdict(result.accuracy) if result.accuracy else None,
        "validity": _validity(result),
        "verified": [asdict(one) for one in result.verified],
        "warnings": list(result.warnings),
        "env": {"states": [asdict(state) for state in result.states]},
        "extra": {"rivals": [asdict(rival) for rival in result.rivals]} if result.rivals else {},
    }


def as_json(data: Document) -> str:
    """Return the text of a document's file."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def read_document(path: Path) -> dict[str, Any]:
    """Read a result, or that of a bundle's folder; raise UsageError if it is none."""
    file = path / "result.json" if path.is_dir() else path
    return read_checked(file, "bench", "give what 'edgec bench -o' or 'edgec build' wrote")


def result_of(data: Document) -> Result:
    """Return the result that a document was written from, if it was not measured yet."""
    model, target, build = data["model"], data["target"], data["build"]
    return Result(
        model=model["name"],
        source=model["source"],
        model_sha256=model["sha256"],
        target=target["name"],
        rounding=build["rounding"],
        optimize=build["optimize"],
        layers=tuple(Layer(**{**row, "output": tuple(row["output"])}) for row in data["layers"]),
        memory=Memory(**data["memory"]),
        backend=build["backend"],
        calibration=model["calibration"],
        synthetic=model["synthetic"],
        warnings=tuple(data["warnings"]),
        input_layouts=tuple(model["input_layouts"]),
        savings=tuple(Saving(**saving) for saving in build["savings"]),
        cpu=target["cpu"],
        clock_hz=target["hz"],
        runner=target["runner"],
        compiler=build["compiler"] or "",
        flags={name: tuple(flags) for name, flags in build["flags"].items()},
        accuracy=Accuracy(**data["accuracy"]) if data["accuracy"] else None,
    )


def latency(unit: str, samples: Sequence[int]) -> dict[str, Any]:
    """Return the counts of timed inferences with their statistics."""
    found = spread(samples)
    stats = {
        "n": len(samples),
        "min": min(samples),
        "median": found.median,
        "mean": statistics.fmean(samples),
        "p95": found.p95,
        "p99": found.p99,
        "max": max(samples),
        "mad": found.mad,
        "stdev": statistics.pstdev(samples),
    }
    return {"unit": unit, "samples": list(samples), "stats": stats}


def _model(result: Result) -> dict[str, Any]:
    return {
        "name": result.model,
        "source": result.source,
        "sha256": result.model_sha256,
        "macs": result.macs,
        "calibration": result.calibration,
        "synthetic": result.synthetic,
        "input_layouts": list(result.input_layouts),
    }


def _target(result: Result) -> dict[str, Any]:
    return {
        "name": result.target,
        "cpu": result.cpu,
        "hz": result.clock_hz,
        "runner": result.runner,
        "emulator": result.emulator,
        "board": result.board or None,
        "uid_hash": uid_hash(result.serial) if result.serial else None,
        "probe": result.tool or None,
    }


def _method(result: Result) -> dict[str, Any]:
    layered = any(layer.count is not None for layer in result.layers)
    return {
        "timer": _timer(result),
        "timer_hz": result.timer_hz if result.unit else None,
        "found_hz": None if result.found_hz is None else round(result.found_hz),
        "runs": len(result.samples),
        "warmup": None if result.states else 1 if result.samples else 0,
        "total": "clean",
        "layers": "profile" if layered else None,
    }


def _timer(result: Result) -> str | None:
    """Say what counts; an emulator's timers all follow its instructions."""
    if result.unit == "instructions":
        return "instructions that the emulator counts"
    return _TIMERS.get(result.timer, result.timer) if result.unit else None


def _validity(result: Result) -> dict[str, Any]:
    reasons = [*result.invalid, *(f"not run: {text}" for text in result.not_run)]
    return {"ok": not reasons, "reasons": reasons}
