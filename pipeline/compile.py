"""From a `.tflite` to generated files and the firmware project round them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import edgec
from edgec.codegen import emit, tflm
from edgec.codegen.layout import Plan
from edgec.codegen.linked_weights import Symbol, write_blob
from edgec.codegen.model_info import ModelInfo, TensorInfo
from edgec.codegen.project import flags_cmake, flags_mk, render_project
from edgec.codegen.selection import Optimize, rival_steps
from edgec.pipeline.graph import DType, Graph, Rounding
from edgec.pipeline.load import tflite
from edgec.pipeline.passes import Saving, run_passes
from edgec.pipeline.plan import plan_memory
from edgec.pipeline.replay import verify_plan
from edgec.pipeline.striping import Fitted, fit_memory
from edgec.targets.profile import Target


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """A model after planning: the file, its graph as read and as it runs, and the plan.

    `kernels` are the files of kernels that are not edgec's own, by name.
    """

    model: bytes
    source: Graph
    graph: Graph
    plan: Plan
    savings: tuple[Saving, ...] = ()
    kernels: Mapping[str, str] = field(default_factory=dict)


def compile_model(
    path: Path,
    name: str,
    rounding: Rounding,
    target: Target,
    optimize: Optimize = "balanced",
    *,
    shrink: bool = True,
    flash_bytes: int | None = None,
    ram_bytes: int | None = None,
    input_rows: bool = False,
) -> Compiled:
    """Read a `.tflite`, rewrite its graph for the target, choose kernels and plan its memory.

    Where the arena would leave no room for the rest within `ram_bytes`, layers go by stripes; the
    smallest arena found is returned where none fits. With `input_rows` the first layers ask the
    caller for rows of the first input, which is nowhere whole.
    """
    model = path.read_bytes()
    source = tflite.parse(model, name, rounding, where=path.name)
    rewritten, savings = run_passes(source, target, shrink=shrink)
    graph, plan = plan_memory(rewritten, target.features, optimize, flash_bytes, target.cpu)
    budget = None if ram_bytes is None else ram_bytes - overhead_bytes(target)
    if input_rows or (budget is not None and plan.arena_bytes > budget):
        rivals = rival_steps(graph, target.features, optimize, target.cpu)
        fitted = fit_memory(graph, plan, rivals, target.features, budget, input_rows=input_rows)
        if input_rows or fitted.plan.arena_bytes < plan.arena_bytes:
            savings = (*savings, _striping(fitted, plan))
            graph, plan = fitted.graph, fitted.plan
    verify_plan(graph, plan)
    return Compiled(model, source, graph, plan, savings)


def overhead_bytes(target: Target) -> int:
    """Return what stack and variables of a library take at most beside its arena, as measured."""
    return 768 if "mve" in target.features else 512


def _striping(fitted: Fitted, before: Plan) -> Saving:
    """Return what stripes and other kernels saved."""
    runs = [f"through {way.text}" for way in fitted.striped]
    name = "stripes " + ", ".join(runs) if runs else "kernels with less working memory"
    return Saving(name, 0, 0, 0, before.arena_bytes - fitted.plan.arena_bytes)


def write_sources(compiled: Compiled, target: Target, root: Path) -> None:
    """Write `src/`, `firmware/`, the flag files and, where it is small, `tflm/` under `root`."""
    origin = emit.Origin(edgec.__version__, target.name)
    graph, plan = compiled.graph, compiled.plan
    if target.memories:
        files: dict[str, str] = emit.emit(graph, plan, origin)
        linked: list[Symbol] = []
    else:
        files, linked = emit.emit_linked(graph, plan, origin)
    _write(root / "src", {**files, **compiled.kernels})
    if linked:
        write_blob(root / "src" / emit.weights_blob(graph), linked)
    else:
        _write(root / "tflm", tflm.files(graph.name, compiled.model, compiled.source, origin))
    _write(root, {"flags.mk": flags_mk(target), "flags.cmake": flags_cmake(target)})
    render_project(root / "src", target, root / "firmware", model_info(compiled))


def optimized(target: Target, optimize: Optimize) -> Target:
    """Return the target with the compiler flags of a mode for its hot kernels."""
    tools = target.toolchain
    hot = {"size": tools.cold, "balanced": tools.hot, "speed": tools.fast}[optimize]
    return replace(target, toolchain=replace(tools, hot=hot))


def model_info(compiled: Compiled) -> ModelInfo:
    """Return what the firmware must know of the generated library."""
    graph, plan = compiled.graph, compiled.plan

    def port(name: str, at: int | None) -> TensorInfo:
        tensor = graph[name]
        rows = tensor.shape[1] if name == plan.fetched else 0
        quant = tensor.quant if tensor.dtype is DType.INT8 else None
        quant = None if quant is None or quant.per_channel else quant
        return TensorInfo(
            name,
            tensor.dtype.c_type,
            tensor.size,
            tensor.size_bytes,
            at,
            rows,
            scale=0.0 if quant is None else quant.scale,
            zero_point=0 if quant is None else quant.zero_point,
        )

    return ModelInfo(
        name=graph.name,
        sha256=graph.sha256,
        inputs=tuple(map(port, graph.inputs, plan.inputs_at)),
        outputs=tuple(map(port, graph.outputs, plan.outputs_at)),
        arena_bytes=plan.arena_bytes,
        layers=len(graph.ops),
        layer_outputs=sum(len(op.outputs) for op in graph.ops),
        arena_align=emit.ARENA_ALIGN,
        has_state=emit.has_state(graph, plan),
    )


def _write(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
