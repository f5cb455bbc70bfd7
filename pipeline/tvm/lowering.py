"""A model whose layers TVM compiles: asks the worker for them, and plans the memory round them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from edgec.codegen import cwriter
from edgec.codegen.registry import Step
from edgec.codegen.selection import choose_steps
from edgec.pipeline.compile import Compiled
from edgec.pipeline.errors import TargetError, UsageError
from edgec.pipeline.graph import Graph
from edgec.pipeline.load import tflite
from edgec.pipeline.passes import run_passes
from edgec.pipeline.plan import plan_memory
from edgec.pipeline.replay import verify_plan
from edgec.pipeline.subject import Subject
from edgec.pipeline.tvm.fusion import Fused, fuse
from edgec.pipeline.worker import run_stage
from edgec.targets.cache import cache_folder
from edgec.targets.llvm import LlvmTarget, llvm_target
from edgec.targets.profile import Target

_STAGE = "edgec.pipeline.tvm.stage:compile_layers"
_COMPILE_S = 600.0
_TRIAL_S = 30.0
TRIALS_PER_MINUTE = 60
"""More than are ever measured: where only minutes are given, they end the search."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """What TVM made of one op: a function, its working memory, and the seconds it was tuned to."""

    symbol: str
    scratch_bytes: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Layers:
    """All that TVM made of a model for a target: `lowered.json` in a bundle, and its assembly."""

    target: str
    kernels: tuple[Kernel, ...]
    versions: Mapping[str, str]
    assembly: str

    @property
    def untuned(self) -> int:
        """How many ops have a schedule that nobody measured."""
        return sum(kernel.seconds is None for kernel in self.kernels)

    def json(self) -> str:
        """Return all but the assembly, which is a source file."""
        facts = {k: v for k, v in asdict(self).items() if k != "assembly"}
        return json.dumps(facts, indent=2, sort_keys=True) + "\n"


def read_layers(facts: str, assembly: str) -> Layers:
    """Return layers as `Layers.json` wrote them."""
    values = json.loads(facts)
    kernels = tuple(Kernel(**kernel) for kernel in values["kernels"])
    return Layers(values["target"], kernels, values["versions"], assembly)


def known(target: Target) -> LlvmTarget:
    """Return how LLVM names a target; raise TargetError where it has no name for it."""
    found = llvm_target(target)
    if found is None:
        raise TargetError(f"{target.name}: TVM has no code generator for {target.cpu}")
    return found


def compile_layers(subject: Subject, model: Path) -> Layers:
    """Have a worker compile the layers of a `.tflite`, tuned before if the options say so."""
    options, target = subject.options, subject.target
    tune = _limits(subject)
    timeout_s = _COMPILE_S
    if tune is not None:
        timeout_s += min(60 * tune["minutes"], _TRIAL_S * tune["trials"]) + _COMPILE_S
    with tempfile.TemporaryDirectory(prefix="edgec-") as folder:
        out = Path(folder) / "layers.s"
        answer = run_stage(
            _STAGE,
            {
                "model": str(model.absolute()),
                "name": subject.name,
                "rounding": options.rounding.value,
                "shrink": options.shrink,
                "target": options.target,
                "llvm": asdict(known(target)),
                "tune": tune,
                "overlap": overlaps(target),
                "fast": options.optimize == "speed",
                "cache": str(cache_folder("tvm")),
                "out": str(out),
            },
            progress=subject.progress,
            timeout_s=timeout_s,
        )
        text = out.read_text(encoding="utf-8")
    kernels = tuple(Kernel(**kernel) for kernel in answer["kernels"])
    return Layers(target.name, kernels, answer["versions"], text)


def _limits(subject: Subject) -> dict[str, float] | None:
    """Return how much to tune; raise UsageError where it cannot be measured."""
    trials, minutes = subject.options.tune_trials, subject.options.tune_minutes
    if trials is None and minutes is None:
        return None
    target = subject.target
    if target.runner != "native":
        raise UsageError(
            f"{target.name}: tuning measures on this machine, which is no {target.name}",
            "leave --tune-trials and --tune-minutes out; the schedules are then edgec's own",
        )
    if minutes is None:
        assert trials is not None
        return {"trials": trials, "minutes": trials * _TRIAL_S / 60}
    return {"trials": trials or int(minutes * TRIALS_PER_MINUTE), "minutes": minutes}


def planned_layers(subject: Subject, model: Path, layers: Layers) -> Compiled:
    """Return the model with TVM's kernels in place: its memory planned and proven."""
    options, target = subject.options, subject.target
    content = model.read_bytes()
    source = tflite.parse(content, subject.name, options.rounding, where=model.name)
    rewritten, savings = run_passes(source, target, shrink=options.shrink)
    graph = fuse(rewritten)
    others = graph.with_ops(op for op in graph.ops if not isinstance(op, Fused))
    steps = choose_steps(others, target.features, options.optimize, options.flash_bytes, target.cpu)
    fused = [op for op in graph.ops if isinstance(op, Fused)]
    header = f"{subject.name}_tvm"
    for op, kernel in zip(fused, layers.kernels, strict=True):
        steps[op.outputs] = _step(op, kernel, header, overlaps(target))
    ordered, plan = plan_memory(graph, target.features, options.optimize, steps=steps)
    verify_plan(ordered, plan)
    kernels = {
        f"{header}.h": _header(header, graph, fused, layers.kernels),
        f"{header}.s": layers.assembly,
    }
    return Compiled(content, source, ordered, plan, savings, kernels if fused else {})


def overlaps(target: Target) -> bool:
    """Return whether outputs may take the memory of inputs: where memory is scarce.

    Then the order of the loops must be known, so it is edgec's own schedule.
    """
    return bool(target.memories)


def _step(op: Fused, kernel: Kernel, header: str, overlap: bool) -> Step:
    reason = "untuned" if kernel.seconds is None else f"tuned to {kernel.seconds * 1e6:,.1f} us"
    return Step(
        kernel.symbol,
        inputs=tuple(range(len(op.inputs))),
        scratch_bytes=kernel.scratch_bytes or None,
        reason=f"TVM, {reason}",
        header=header,
        accesses=op.accesses if overlap else (),
        in_place=op.in_place if overlap else (),
    )


def _header(name: str, graph: Graph, fused: Sequence[Fused], kernels: Sequence[Kernel]) -> str:
    """Return the declarations of TVM's functions."""
    declared: dict[str, str] = {}
    for op, kernel in zip(fused, kernels, strict=True):
        args = [f"const {graph[n].dtype.c_type} *in_{i}" for i, n in enumerate(op.inputs)]
        args.append(f"{graph[op.outputs[0]].dtype.c_type} *out")
        args += ["void *scratch"] if kernel.scratch_bytes else []
        declared[kernel.symbol] = f"void {kernel.symbol}(\n{cwriter.wrap(args)});\n"
    guard = f"{name.upper()}_H"
    banner = cwriter.banner([("model sha256", graph.sha256), ("layers compiled by", "Apache TVM")])
    return (
        f"{banner}\n#ifndef {guard}\n#define {guard}\n\n#include <stdint.h>\n\n"
        + "\n".join(declared.values())
        + "\n#endif\n"
    )
