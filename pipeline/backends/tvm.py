"""The backend `tvm`: layers compiled by Apache TVM, in a library like that of `aot`.

Products, pooling and what follows them become assembly that needs no runtime; every other op keeps
edgec's own kernel, and memory is planned for both together. Its contract is that of `aot`.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, replace
from pathlib import Path

from edgec.pipeline.backends.aot import AotBuilt
from edgec.pipeline.compile import write_sources
from edgec.pipeline.report.result import Result
from edgec.pipeline.subject import Subject
from edgec.pipeline.tvm.lowering import (
    Layers,
    compile_layers,
    planned_layers,
    read_layers,
)
from edgec.pipeline.worker import Progress
from edgec.targets.llvm import llvm_target

FACTS = "lowered.json"


@dataclass(frozen=True, slots=True, eq=False)
class TvmBuilt(AotBuilt):
    """A library whose layers are TVM's."""

    layers: Layers

    def planned(self) -> Result:
        """Return the layers and the memory plan, and say what was not tuned."""
        result = AotBuilt.planned(self)
        untuned, count = self.layers.untuned, len(self.layers.kernels)
        said = (
            f"{untuned} of {count} layers that TVM compiled are not tuned: their schedules were "
            "never measured (--tune-trials does, where the target is this machine)",
        )
        warnings = said if untuned else ()
        tuning = f"{untuned} of {count} layers untuned" if untuned else f"all {count} layers tuned"
        remark = tuning if count else "TVM compiles no layer of it"
        return replace(result, backend="tvm", warnings=(*result.warnings, *warnings), remark=remark)

    def on_host(self, folder: Path) -> None:
        """Return nothing: code for this machine would be other code."""


def refusal(subject: Subject) -> str:
    """Return why TVM cannot compile for the target, or as the options ask."""
    if llvm_target(subject.target) is None:
        return f"it has no code generator for {subject.target.cpu}"
    if subject.options.threads > 1:
        return "it computes in one thread"
    if subject.options.input_rows:
        return "its layers take whole inputs, not rows"
    return ""


def abstains(subject: Subject) -> str:
    """Return why TVM stays out of contests: on microcontrollers, and where it is not installed."""
    if subject.target.memories:
        return "on a microcontroller it is asked for by name: --backend tvm"
    if importlib.util.find_spec("tvm") is None:
        return "TVM is not installed: pip install 'edgec[tvm]'"
    return ""


def build(subject: Subject, folder: Path) -> TvmBuilt:
    """Compile layers, plan, emit, and render the firmware project."""
    model = subject.lowered().path
    subject.progress(Progress("compile", 0, 0, "compiling layers with TVM"))
    layers = _kept(subject) or compile_layers(subject, model)
    compiled = planned_layers(subject, model, layers)
    write_sources(compiled, subject.target, folder)
    (folder / FACTS).write_text(layers.json(), encoding="utf-8")
    return TvmBuilt(compiled, folder / "firmware", subject.target, subject.options, layers)


def _kept(subject: Subject) -> Layers | None:
    """Return the layers that the bundle holds which is opened again, if they are the target's."""
    root = subject.bundle
    if root is None or not (root / FACTS).is_file():
        return None
    assembly = root / "src" / f"{subject.name}_tvm.s"
    text = assembly.read_text(encoding="utf-8") if assembly.is_file() else ""
    layers = read_layers((root / FACTS).read_text(encoding="utf-8"), text)
    return layers if layers.target == subject.target.name else None
