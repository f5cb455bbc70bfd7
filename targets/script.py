"""Programs in Python for computers that have one, and the runtimes that they need there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edgec.pipeline.errors import ToolMissingError

_NO_RUNTIME = re.compile(r"edgec-no-runtime (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Runtime:
    """A package of Python that runs models.

    `name` is what the agent calls it; `wheels` are what to install, by `uname -m`.
    """

    name: str
    title: str
    wheels: Mapping[str, tuple[str, ...]]


LITERT = Runtime(
    "litert",
    "LiteRT",
    {
        "x86_64": ("ai-edge-litert>=2.3,<2.4",),
        "aarch64": ("ai-edge-litert>=2.3,<2.4",),
        "armv7l": ("tflite-runtime==2.14.0",),
    },
)
ORT = Runtime(
    "ort",
    "ONNX Runtime",
    {"x86_64": ("onnxruntime>=1.20",), "aarch64": ("onnxruntime>=1.20",)},
)


@dataclass(frozen=True, slots=True)
class Script:
    """What is started with Python: a file, and its arguments, where a Path is a file that goes
    along."""

    file: Path
    arguments: tuple[str | Path, ...]
    runtime: Runtime


def missing_runtime(said: str, script: Script, where: str) -> ToolMissingError | None:
    """Return the error of a script that found no runtime; None if it says nothing of that."""
    missing = _NO_RUNTIME.search(said)
    if missing is None:
        return None
    wheels = sorted({wheel for wheels in script.runtime.wheels.values() for wheel in wheels})
    return ToolMissingError(
        f"{where}: its Python has no {script.runtime.title}: {plain(missing[1])}",
        "--install-runtime puts it into edgec's folder on a device; or pip install "
        f"{' or '.join(wheels)} there",
    )


def plain(text: str) -> str:
    """Return text from outside without what could steer a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text.strip())[:300]
