"""The backend `aot`: the graph becomes C of our own, which stands alone.

Its contract: integers equal the reference interpreter byte for byte, float32 within a tolerance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from edgec.pipeline.compile import (
    Compiled,
    compile_model,
    model_info,
    overhead_bytes,
    write_sources,
)
from edgec.pipeline.errors import BudgetError
from edgec.pipeline.graph import Graph, Rounding
from edgec.pipeline.options import BuildOptions
from edgec.pipeline.oracle import Oracle, Sample, open_oracle
from edgec.pipeline.plan import describe_peak
from edgec.pipeline.report.result import Result, planned, with_measurement
from edgec.pipeline.subject import Subject
from edgec.pipeline.verify import Tolerance, explain_difference, tolerance_of
from edgec.pipeline.worker import Progress
from edgec.targets.bench import BenchResult
from edgec.targets.profile import Target, load_target
from edgec.targets.session import open_device
from edgec.targets.toolchain import Image, build_image, equipped

HOST = "x86"
"""This machine: before another device runs generated C, it is checked here, as portable C."""


def host_target() -> Target:
    """Return this machine as a target of portable C: kernels for its CPU run as their twins."""
    host = load_target(HOST)
    tools = replace(host.toolchain, cflags=())
    portable = replace(host, toolchain=tools, defines=(*host.defines, "EDGEC_PORTABLE"))
    return equipped(portable, "auto")


@dataclass(frozen=True, slots=True, eq=False)
class AotBuilt:
    """Generated C and the firmware project round it."""

    compiled: Compiled
    project: Path
    target: Target
    options: BuildOptions

    @property
    def ports(self) -> Graph:
        """The graph as it runs."""
        return self.compiled.graph

    @property
    def oracle(self) -> Oracle:
        """The reference interpreter, in the rounding profile of the build."""
        compiled = self.compiled
        ops = compiled.source.ops
        rounding = ops[0].rounding if ops else Rounding.TFLITE
        return open_oracle(compiled.model, compiled.source, rounding)

    @property
    def allowed(self) -> Tolerance:
        """Nothing, or what libm makes of float32."""
        return tolerance_of(self.compiled.graph)

    def planned(self) -> Result:
        """Return the layers and the memory plan."""
        graph, options = self.compiled.graph, self.options
        result = planned(
            graph, self.compiled.plan, graph.name, self.target, options.rounding.value,
            options.optimize,
        )  # fmt: skip
        return replace(result, backend="aot", savings=self.compiled.savings)

    def image(self) -> Image:
        """Compile and link the firmware."""
        return build_image(self.project, self.target)

    @property
    def mlperf_task(self) -> str:
        """The name that MLPerf Tiny has for a model of these shapes, or nothing."""
        task = model_info(self.compiled).task
        return "" if task is None else task.model

    def mlperf_image(self) -> Image:
        """Compile and link the firmware that speaks that benchmark's protocol."""
        return build_image(self.project, self.target, mlperf=True)

    def profile_image(self) -> Image:
        """Compile and link the firmware that times and hashes each layer."""
        return build_image(self.project, self.target, profile=True)

    def on_host(self, folder: Path) -> AotBuilt | None:
        """Write portable C for this machine; None where the target runs just that."""
        kernels = {part.kernel for step in self.compiled.plan.steps for part in step.parts}
        if self.target.name == HOST and not any("_vector" in kernel for kernel in kernels):
            return None
        host = host_target()
        write_sources(self.compiled, host, folder)
        return replace(self, project=folder / "firmware", target=host)

    def explain(self, sample: Sample) -> str:
        """Name the first layer that is wrong, from a profile build."""
        with open_device(self.profile_image(), self.target) as device:
            return explain_difference(device, self.compiled.graph, self.compiled.plan, sample)

    def measured(self, result: Result, bench: BenchResult) -> Result:
        """Return the result with counts per layer and memory as measured."""
        return with_measurement(result, bench)


def refusal(subject: Subject) -> str:
    """Return why there is no C for the subject; empty if it may be tried."""
    return "there are no kernels for float16" if subject.options.quantize == "float16" else ""


def build(subject: Subject, folder: Path) -> AotBuilt:
    """Read, rewrite, plan, emit, and render the firmware project."""
    options = subject.options
    lowered = subject.lowered()
    subject.progress(Progress("compile", 0, 0, "planning memory and generating C"))
    compiled = compile_model(
        lowered.path,
        subject.name,
        options.rounding,
        subject.target,
        options.optimize,
        shrink=options.shrink,
        flash_bytes=options.flash_bytes,
        ram_bytes=options.ram_bytes,
        input_rows=options.input_rows,
    )
    _check_arena(compiled, subject)
    write_sources(compiled, subject.target, folder)
    return AotBuilt(compiled, folder / "firmware", subject.target, options)


def _check_arena(compiled: Compiled, subject: Subject) -> None:
    """Raise BudgetError if the arena alone is over the RAM budget, and say what needs it."""
    options = subject.options
    arena = compiled.plan.arena_bytes
    if options.ram_bytes is not None and arena > options.ram_bytes:
        works = arena + overhead_bytes(subject.target)
        others = "or make that layer's input or output smaller"
        if not options.input_rows:
            others = "give the input by rows (--input-rows), " + others
        raise BudgetError(
            f"{options.ram_bytes:,} bytes of RAM allowed, the least arena found takes {arena:,}, "
            f"also by stripes: {describe_peak(compiled.graph, compiled.plan)}",
            f"raise --ram to {works}, {others}",
        )
