"""What a compression found out, as plain data: `compress.json` is this, field by field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from edgec.pipeline.compress.evaluation import Evaluation
from edgec.pipeline.report.result import Result

SCHEMA = "edgec.compression/1"


@dataclass(frozen=True, slots=True)
class ImageFigures:
    """A verified image: bytes as linked and measured, and what one inference takes.

    `unit` is what `count` counts: instructions or ns. `exact` is whether it equals the reference
    interpreter byte for byte.
    """

    flash_bytes: int
    weight_bytes: int
    ram_bytes: int
    macs: int
    count: float
    unit: str
    exact: bool
    samples: int

    @staticmethod
    def of(result: Result) -> ImageFigures:
        """Take the figures of a measured build."""
        memory = result.memory
        assert memory.flash_bytes is not None and memory.ram_bytes is not None
        assert memory.weight_bytes is not None
        assert result.total is not None and result.unit is not None
        return ImageFigures(
            flash_bytes=memory.flash_bytes,
            weight_bytes=memory.weight_bytes,
            ram_bytes=memory.ram_bytes,
            macs=result.macs,
            count=result.total,
            unit=result.unit,
            exact=all(one.exact for one in result.verified),
            samples=min(one.samples for one in result.verified),
        )


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step: what it was given, what it left, what it took.

    `score` is the float model's on the test split, `parameters` and `macs` its size; they are None
    after the step that gives the `.tflite`. `image` is of the model in int8 on the target.
    """

    name: str
    settings: Mapping[str, Any]
    score: float | None
    parameters: int | None
    macs: int | None
    seconds: float
    peak_bytes: int | None
    notes: tuple[str, ...]
    image: ImageFigures | None = None

    @staticmethod
    def of(name: str, settings: Mapping[str, Any], facts: Mapping[str, Any]) -> StepResult:
        """Take a step's figures from the worker's answer."""
        return StepResult(
            name=name,
            settings=settings,
            score=facts["score"],
            parameters=facts["parameters"],
            macs=facts["macs"],
            seconds=facts.get("seconds", 0.0),
            peak_bytes=facts.get("peak_bytes"),
            notes=tuple(facts.get("notes", ())),
        )


@dataclass(frozen=True, slots=True)
class CompressionResult:
    """A finished compression; `baseline` and `compressed` are measured on the same test samples."""

    model: str
    source: str
    recipe: str
    description: str
    target: str
    data: str
    metric: str
    seed: int
    steps: tuple[StepResult, ...]
    warnings: tuple[str, ...] = ()
    baseline: Evaluation | None = None
    compressed: Evaluation | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the result as JSON-ready data."""
        return {"schema": SCHEMA, **asdict(self)}

    def json(self) -> str:
        """Return `compress.json`."""
        return json.dumps(self.as_dict(), indent=2) + "\n"
