"""Baselines: a folder of results by model, target and toolchain, kept beside the code."""

from __future__ import annotations

import re
from pathlib import Path

from edgec.pipeline.errors import MeasurementError, UsageError
from edgec.pipeline.report.document import Document, as_json, read_document

_HOW = ("backend", "optimize", "rounding")


def baseline_path(folder: Path, result: Document) -> Path:
    """Return where the baseline of a result lies; boards of one type share one.

    That is `MODEL/TARGET/COMPILER-BACKEND-OPTIMIZE-ROUNDING.json`.
    """
    build = result["build"]
    how = [build["compiler"] or "no-compiler", *(build[k] for k in _HOW)]
    parts = [result["model"]["name"], result["target"]["name"], "-".join(how)]
    model, target, name = (re.sub(r"[^A-Za-z0-9._-]+", "-", part).lstrip(".") for part in parts)
    return folder / model / target / f"{name}.json"


def save_baseline(folder: Path, result: Document) -> Path:
    """Keep a valid, counted result as the one to compare with; return its file."""
    reasons = list(result["validity"]["reasons"])
    if result["latency"] is None and not result["target"]["emulator"]:
        reasons.append("nothing was counted")
    if reasons:
        raise MeasurementError(f"this result is no baseline: {'; '.join(reasons)}", "measure again")
    path = baseline_path(folder, result)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(as_json(result), encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error
    return path


def find_baseline(folder: Path, result: Document) -> Document:
    """Return the baseline of a result; raise UsageError if there is none."""
    path = baseline_path(folder, result)
    if not path.is_file():
        raise UsageError(
            f"{folder}: no baseline of {result['model']['name']} on {result['target']['name']} "
            f"by this toolchain: {path.relative_to(folder)} is not there",
            f"edgec baseline save --to {folder} RESULT",
        )
    return read_document(path)


def baselines(folder: Path) -> list[Path]:
    """Return the files of all baselines, sorted."""
    return sorted(folder.glob("*/*/*.json"))
