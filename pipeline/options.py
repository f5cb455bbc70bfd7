"""How to build: the options of `edgec build`, and which of them a bundle keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgec.codegen.selection import Optimize
from edgec.pipeline.graph import Rounding
from edgec.pipeline.lower.tflite import Quantize
from edgec.targets.zig import Choice


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """How to build. Sizes are in bytes; `samples` is how many random inputs are verified,
    by default 5, or fewer where they are large. `backend` is one of the target's, or auto; the
    target's usual one if it is None. `toolchain` is what compiles: `auto` is the profile's GCC, or
    Zig where that is not installed. `tune_trials` and `tune_minutes` are how long TVM searches for
    schedules, if it does."""

    target: str = "cortex-m4"
    backend: str | None = None
    toolchain: Choice = "auto"
    threads: int = 1
    calibration: Path | None = None
    quantize: Quantize = "int8"
    optimize: Optimize = "balanced"
    rounding: Rounding = Rounding.TFLITE
    ram_bytes: int | None = None
    flash_bytes: int | None = None
    name: str | None = None
    out: Path | None = None
    verify: bool = True
    emit_only: bool = False
    samples: int | None = None
    test: Path | None = None
    shrink: bool = True
    input_rows: bool = False
    tune_trials: int | None = None
    tune_minutes: float | None = None


def kept(options: BuildOptions) -> dict[str, str | int | None]:
    """Return the options that shaped what was generated, for the manifest of a bundle."""
    return {
        "rounding": options.rounding.value,
        "optimize": options.optimize,
        "quantize": options.quantize,
        "threads": options.threads,
        "toolchain": options.toolchain,
        "shrink": options.shrink,
        "flash_bytes": options.flash_bytes,
        "ram_bytes": options.ram_bytes,
        "input_rows": options.input_rows,
    }


def options_of(facts: Mapping[str, Any], target: str) -> BuildOptions:
    """Return the options that a manifest has kept."""
    return BuildOptions(
        target=target,
        quantize=facts.get("quantize", "int8"),
        threads=facts.get("threads", 1),
        toolchain=facts.get("toolchain", "auto"),
        optimize=facts["optimize"],
        rounding=Rounding(facts["rounding"]),
        ram_bytes=facts.get("ram_bytes"),
        flash_bytes=facts["flash_bytes"],
        shrink=bool(facts["shrink"]),
        input_rows=bool(facts.get("input_rows", False)),
    )
