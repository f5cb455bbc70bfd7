"""What a build found out, as plain data; `document.py` writes it as `result.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from edgec.codegen.layout import Plan
from edgec.codegen.registry import Const, Io, Step, as_kernel_op
from edgec.pipeline.graph import Graph
from edgec.pipeline.passes import Saving
from edgec.pipeline.verify import Verified
from edgec.targets.bench import BenchResult
from edgec.targets.host_state import HostState, whose_times
from edgec.targets.profile import Target
from edgec.targets.timing import Spread, spread
from edgec.targets.toolchain import compiler_flags


@dataclass(frozen=True, slots=True)
class Layer:
    """One op as compiled; `count` is None where nothing was measured.

    `chosen` says why this kernel, `predicted` what it was expected to take: instructions of one
    inference on the target's core, None for kernels that do not state their cost.
    """

    index: int
    op: str
    output: tuple[int, ...]
    kernel: str
    macs: int
    weight_bytes: int
    count: int | None = None
    chosen: str = ""
    predicted: int | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes as planned, as linked and as measured; None where a step was not run.

    `ram_bytes` is arena, inputs, outputs, the library's variables and the painted stack;
    `binary_bytes` the stripped program of a computer, `peak_bytes` the most memory its process had.
    An interpreted model has no plan; `model_bytes` is its file.
    """

    arena_bytes: int | None
    arena_bound_bytes: int | None
    io_bytes: int
    weight_bytes: int | None
    flash_bytes: int | None = None
    ram_bytes: int | None = None
    stack_bytes: int | None = None
    firmware_flash_bytes: int | None = None
    firmware_ram_bytes: int | None = None
    binary_bytes: int | None = None
    peak_bytes: int | None = None
    model_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Share of labelled samples that are classified right; None where that was not run."""

    samples: int
    float_model: float | None
    reference: float
    device: float | None


@dataclass(frozen=True, slots=True)
class Rival:
    """What came of a backend that competed: its times in the result's unit, or why there are none.

    `why` is empty where its answers were right; `remark` is what the times cannot be shown without.
    """

    backend: str
    median: float | None = None
    p95: float | None = None
    why: str = ""
    chosen: bool = False
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """A build's findings. `unit` is what `total` and the layers count: instructions or ns.

    There is none where an `emulator` stood in for the device. `timing` is how times spread,
    `samples` are the counts themselves, `states` those of a computer before and after it was
    measured. `compiler` is empty where nothing was compiled; `invalid` says why counts that were
    kept do not count. `remark` is what counts must not be shown without. `board` is its name in the
    lab, `serial` that of its probe, `tool` what flashed it.
    """

    model: str
    source: str
    model_sha256: str
    target: str
    rounding: str
    optimize: str
    layers: tuple[Layer, ...]
    memory: Memory
    backend: str = ""
    threads: int = 1
    rivals: tuple[Rival, ...] = ()
    remark: str = ""
    calibration: str = ""
    synthetic: bool = False
    verified: tuple[Verified, ...] = ()
    not_run: tuple[str, ...] = ()
    unit: str | None = None
    total: float | None = None
    accuracy: Accuracy | None = None
    warnings: tuple[str, ...] = ()
    input_layouts: tuple[str, ...] = ()
    savings: tuple[Saving, ...] = ()
    emulator: str = ""
    timing: Spread | None = None
    states: tuple[HostState, ...] = ()
    cpu: str = ""
    clock_hz: int | None = None
    runner: str = ""
    compiler: str = ""
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    samples: tuple[int, ...] = ()
    timer: str = ""
    timer_hz: int | None = None
    found_hz: float | None = None
    invalid: tuple[str, ...] = ()
    board: str = ""
    serial: str = ""
    tool: str = ""

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference."""
        return sum(layer.macs for layer in self.layers)


def layers(graph: Graph, plan: Plan) -> tuple[Layer, ...]:
    """Return a row per op, not counted yet."""
    rows = []
    for index, (op, step) in enumerate(zip(graph.ops, plan.steps, strict=True)):
        io = Io.of(graph, op)
        rows.append(
            Layer(
                index,
                op.title,
                io.y.shape,
                step.kernel or ("copy" if index in plan.copies else "view"),
                as_kernel_op(op).macs(io),
                _weight_bytes(step, io),
                None,
                step.reason,
                None if step.cost is None else step.cost.instructions,
            )
        )
    return tuple(rows)


def _weight_bytes(step: Step, io: Io) -> int:
    consts = {
        (str(v.data.dtype), v.data.tobytes()): v.data
        for part in step.parts
        for v in part.params.values()
        if isinstance(v, Const)
    }
    arrays = list(consts.values())
    arrays += [
        t.data for t in (io.inputs[i] for i in step.inputs if not step.view)
        if t is not None and t.data is not None
    ]  # fmt: skip
    return sum(int(a.nbytes) for a in arrays)


def planned(
    graph: Graph, plan: Plan, source: str, target: Target, rounding: str, optimize: str
) -> Result:
    """Return what is known before anything was compiled."""
    tools = target.toolchain
    flags = {"cold": tools.cold, "hot": tools.hot, "link": tools.ldflags}
    return Result(
        model=graph.name,
        source=source,
        model_sha256=graph.sha256,
        target=target.name,
        cpu=target.cpu,
        clock_hz=target.clock_hz,
        runner=target.runner,
        flags={"all": compiler_flags(target), **flags},
        rounding=rounding,
        optimize=optimize,
        layers=layers(graph, plan),
        memory=memory(graph, plan),
    )


def with_measurement(result: Result, bench: BenchResult) -> Result:
    """Return the result with what the device measured: counts of each layer, and memory."""
    counts: dict[int, int] = {}
    for row in bench.per_op:
        counts[row.layer] = counts.get(row.layer, 0) + row.count
    return replace(
        result,
        layers=tuple(
            replace(layer, count=counts.get(layer.index, 0) if counts else None)
            for layer in result.layers
        ),
        memory=replace(
            result.memory,
            flash_bytes=bench.flash_bytes,
            ram_bytes=bench.ram_bytes,
            stack_bytes=bench.stack_bytes,
            firmware_flash_bytes=bench.firmware_flash_bytes,
            firmware_ram_bytes=bench.firmware_ram_bytes,
            binary_bytes=bench.binary_bytes,
            peak_bytes=bench.peak_bytes,
        ),
        unit=bench.unit if bench.samples else None,
        total=bench.median if bench.samples else None,
        emulator=bench.emulator,
        timing=spread(bench.samples) if bench.unit == "ns" and bench.samples else None,
        states=bench.states,
        samples=bench.samples,
        timer=bench.timer,
        timer_hz=bench.timer_hz,
        found_hz=bench.clock_hz,
        invalid=(f"the device was slowed down ({bench.slowed})",) if bench.slowed else (),
        remark=", ".join(filter(None, (result.remark, whose_times(bench.states)))),
        warnings=(*result.warnings, *bench.warnings),
    )


def memory(graph: Graph, plan: Plan) -> Memory:
    """Return the planned memory."""
    ends = (*graph.inputs, *graph.outputs)
    return Memory(
        plan.arena_bytes,
        plan.bound_bytes,
        sum(graph[n].size_bytes for n in ends),
        sum(layer.weight_bytes for layer in layers(graph, plan)),
    )
