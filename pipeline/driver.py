"""The main job as a list of stages you can read: `build_model`."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import edgec
from edgec.codegen.selection import Optimize
from edgec.pipeline.accuracy import float_accuracy, load_labelled, measure_accuracy
from edgec.pipeline.bundle import Bundle, new_bundle, read_bundle, write_manifest
from edgec.pipeline.compile import (
    Compiled,
    compile_model,
    optimized,
    overhead_bytes,
    write_sources,
)
from edgec.pipeline.errors import BudgetError, UsageError
from edgec.pipeline.graph import DType, Graph, Rounding
from edgec.pipeline.load.float_model import Port
from edgec.pipeline.load.source import Format, detect
from edgec.pipeline.load.tflite import c_name
from edgec.pipeline.lower.tflite import Lowered, Quantize, lower
from edgec.pipeline.plan import describe_peak
from edgec.pipeline.report.document import as_json, document
from edgec.pipeline.report.markdown import markdown
from edgec.pipeline.report.result import Result, planned, with_measurement
from edgec.pipeline.trial import (
    Trial,
    oracle_of,
    random_samples,
    try_image,
    usual_samples,
    verify_host,
)
from edgec.pipeline.verify import Verified
from edgec.pipeline.worker import Progress, Report
from edgec.targets.bench import BenchResult
from edgec.targets.linkmap import check_budget
from edgec.targets.profile import Target, load_target
from edgec.targets.runners.ssh import reached_by_ssh
from edgec.targets.session import open_device
from edgec.targets.toolchain import Image, build_image, compiler_version


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """How to build. Sizes are in bytes; `samples` is how many random inputs are verified,
    by default 5, or fewer where they are large."""

    target: str = "cortex-m4"
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


@dataclass(frozen=True, slots=True)
class BuildResult:
    """A finished build."""

    bundle: Bundle
    result: Result


def build(
    model: str | Path,
    options: BuildOptions | None = None,
    *,
    progress: Report | None = None,
    **changes: Any,
) -> BuildResult:
    """Build a firmware bundle from a Keras, ONNX or TFLite model and verify it on the device.

    `changes` are fields of `BuildOptions`, as in `build("model.onnx", target="cortex-m4")`.
    Raises a subclass of EdgecError; an earlier bundle in the same place is then as it was.
    """
    chosen = replace(options or BuildOptions(), **changes)
    return build_model(Path(model), chosen, progress or _silent)


def build_model(source: Path, options: BuildOptions, progress: Report) -> BuildResult:
    """Run every stage: lower, read, rewrite, plan, emit, project, build, verify, measure."""
    target = optimized(load_target(options.target), options.optimize)
    name = c_name(options.name or source.stem)
    out = options.out or Path(f"{name}-{target.name}")
    with new_bundle(out) as work:
        lowered = _lower(source, work / "model.tflite", options, progress)
        progress(Progress("compile", 0, 0, "planning memory and generating C"))
        compiled = compile_model(
            lowered.path,
            name,
            options.rounding,
            target,
            options.optimize,
            shrink=options.shrink,
            flash_bytes=options.flash_bytes,
            ram_bytes=options.ram_bytes,
            input_rows=options.input_rows,
        )
        _check_arena(compiled, options)
        write_sources(compiled, target, work)
        result = _planned(source, lowered, compiled, target, options)
        if not options.emit_only:
            trial = Trial(
                compiled,
                work / "firmware",
                target,
                random_samples(compiled, options.samples or usual_samples(compiled)),
                progress,
            )
            image = _link(trial, options)
            result = _tried(result, trial, image, options)
            if options.test is not None:
                result = _with_accuracy(result, trial, image, source, lowered, options.test)
        (work / "result.json").write_text(as_json(document(result)), encoding="utf-8")
        (work / "report.md").write_text(markdown(result), encoding="utf-8")
        bundle = write_manifest(work, name, target.name, _facts(options), _versions(lowered))
    return BuildResult(replace(bundle, root=out), result)


def verify(
    root: Path,
    *,
    samples: int = 20,
    target: str | None = None,
    ssh: str | None = None,
    progress: Report | None = None,
) -> tuple[Verified, ...]:
    """Compare a bundle's firmware with the oracle, on the host and on its target (or another).

    `ssh` names the device that runs it: one of the user's, or USER@HOST[:PORT].
    """
    bundle = read_bundle(root)
    with tempfile.TemporaryDirectory(prefix="edgec-") as folder:
        trial = _reopened(bundle, Path(folder), target, samples, progress or _silent, ssh)
        image = build_image(trial.project, trial.target)
        host = verify_host(trial)
        own, _ = try_image(trial, image, trial.target.name, counted=False)
    return (own,) if host is None else (host, own)


def bench(
    root: Path,
    *,
    samples: int = 3,
    target: str | None = None,
    ssh: str | None = None,
    allow_throttled: bool = False,
    progress: Report | None = None,
) -> Result:
    """Verify a bundle's firmware on its target (or another) and measure it there.

    `ssh` is as for `verify`; a device that throttles itself is refused unless `allow_throttled`.
    """
    bundle = read_bundle(root)
    with tempfile.TemporaryDirectory(prefix="edgec-") as folder:
        trial = _reopened(bundle, Path(folder), target, samples, progress or _silent, ssh)
        image = build_image(trial.project, trial.target)
        checked, measured = _counted(trial, image, allow_throttled)
    rounding, optimize = str(bundle.options["rounding"]), str(bundle.options["optimize"])
    result = planned(
        trial.compiled.graph, trial.compiled.plan, bundle.name, trial.target, rounding, optimize,
    )  # fmt: skip
    result = replace(result, verified=checked, compiler=compiler_version(trial.target.toolchain))
    return with_measurement(result, trial.compiled.graph, trial.compiled.plan, measured)


def _silent(progress: Progress) -> None:
    """Report nothing."""


def _lower(source: Path, out: Path, options: BuildOptions, progress: Report) -> Lowered:
    """Turn the source into a `.tflite`; a `.tflite` is taken as it is."""
    if detect(source) is not Format.TFLITE:
        return lower(
            source,
            out,
            quantize=options.quantize,
            calibration=options.calibration,
            progress=progress,
        )
    if options.calibration is not None:
        raise UsageError(
            f"{source.name}: a .tflite file is quantised already, --calibration has no effect",
            "leave --calibration out, or give the Keras or ONNX model",
        )
    target = load_target(options.target)
    graph = compile_model(source, c_name(source.stem), options.rounding, target).graph
    computed = {graph[n].dtype for op in graph.ops for n in op.outputs}
    if options.quantize != "float32" and computed == {DType.FLOAT32}:
        lower(source, out, quantize=options.quantize)  # refuses, and says why
    shutil.copyfile(source, out)
    inputs = tuple(_own_port(graph, n) for n in graph.inputs)
    outputs = tuple(_own_port(graph, n) for n in graph.outputs)
    return Lowered(out, inputs, outputs, "as in the file", False, {}, ())


def _check_arena(compiled: Compiled, options: BuildOptions) -> None:
    """Raise BudgetError if the arena alone is over the RAM budget, and say what needs it."""
    arena = compiled.plan.arena_bytes
    if options.ram_bytes is not None and arena > options.ram_bytes:
        works = arena + overhead_bytes(load_target(options.target))
        others = "or make that layer's input or output smaller"
        if not options.input_rows:
            others = "give the input by rows (--input-rows), " + others
        raise BudgetError(
            f"{options.ram_bytes:,} bytes of RAM allowed, the least arena found takes {arena:,}, "
            f"also by stripes: {describe_peak(compiled.graph, compiled.plan)}",
            f"raise --ram to {works}, {others}",
        )


def _own_port(graph: Graph, name: str) -> Port:
    shape = graph[name].shape
    return Port(name, shape, tuple(range(len(shape))))


def _planned(
    source: Path, lowered: Lowered, compiled: Compiled, target: Target, options: BuildOptions
) -> Result:
    result = planned(
        compiled.graph, compiled.plan, source.name, target, options.rounding.value,
        options.optimize,
    )  # fmt: skip
    layouts = tuple(
        f"{port.name}: {list(port.shape)} in the source is {list(port.keras_shape)} here"
        for port in lowered.inputs
        if port.to_keras != tuple(range(len(port.shape)))
    )
    return replace(
        result,
        calibration=lowered.calibration,
        synthetic=lowered.synthetic,
        warnings=lowered.warnings,
        input_layouts=layouts,
        savings=compiled.savings,
        not_run=("compiling, verification and measurement (--emit-only)",),
    )


def _link(trial: Trial, options: BuildOptions) -> Image:
    """Compile and link the firmware; raise BudgetError if it does not fit."""
    trial.progress(Progress("build", 0, 0, f"compiling for {trial.target.name}"))
    image = build_image(trial.project, trial.target)
    check_budget(image.size, trial.target, options.flash_bytes, options.ram_bytes)
    return image


def _tried(result: Result, trial: Trial, image: Image, options: BuildOptions) -> Result:
    """Verify and measure the image, unless told not to."""
    result = replace(result, compiler=compiler_version(trial.target.toolchain))
    if not options.verify:
        memory = replace(
            result.memory, flash_bytes=image.size.flash_bytes, binary_bytes=image.binary_bytes
        )
        skipped = ("verification and measurement (--no-verify)",)
        return replace(result, memory=memory, not_run=skipped)
    checked, measured = _counted(trial, image)
    if options.ram_bytes is not None and measured.ram_bytes > options.ram_bytes:
        raise BudgetError(
            f"the model takes {measured.ram_bytes} bytes of RAM, {measured.stack_bytes} of them "
            f"stack; {options.ram_bytes} allowed",
            "shrink the model, or raise --ram",
        )
    result = replace(result, verified=checked, not_run=())
    return with_measurement(result, trial.compiled.graph, trial.compiled.plan, measured)


def _counted(
    trial: Trial, image: Image, allow_throttled: bool = False
) -> tuple[tuple[Verified, ...], BenchResult]:
    """Compare host and target with the oracle, and measure the target."""
    host = verify_host(trial)
    name = trial.target.name
    own, measured = try_image(trial, image, name, counted=True, allow_throttled=allow_throttled)
    assert measured is not None
    return (own,) if host is None else (host, own), measured


def _with_accuracy(
    result: Result, trial: Trial, image: Image, source: Path, lowered: Lowered, test: Path
) -> Result:
    """Classify the labelled samples of `test` in float, in the reference and on the device."""
    graph, progress = trial.compiled.graph, trial.progress
    if len(lowered.inputs) != 1 or len(graph.outputs) != 1:
        raise UsageError("--test measures classifiers: one input and one output wanted")
    labelled = load_labelled(test, lowered.inputs[0], graph[graph.outputs[0]].size)
    in_float = None
    if detect(source) is not Format.TFLITE:
        progress(Progress("accuracy", 0, 0, "running the float model"))
        in_float = float_accuracy(source, labelled, lowered.inputs[0])
    with open_device(image, trial.target) as device:
        accuracy = measure_accuracy(
            graph,
            oracle_of(trial.compiled),
            labelled,
            float_model=in_float,
            device=device,
            progress=lambda n, of: progress(Progress("accuracy", n, of, trial.target.name)),
        )
    return replace(result, accuracy=accuracy)


def _reopened(
    bundle: Bundle,
    work: Path,
    target: str | None,
    samples: int,
    progress: Report,
    ssh: str | None,
) -> Trial:
    """Return a trial of a finished bundle, which itself is only read."""
    profile = optimized(load_target(target or bundle.target), bundle.options["optimize"])
    if ssh is not None:
        profile = reached_by_ssh(profile, ssh)
    rounding = Rounding(bundle.options["rounding"])
    optimize = bundle.options["optimize"]
    compiled = compile_model(
        bundle.path("model"),
        bundle.name,
        rounding,
        profile,
        optimize,
        shrink=bool(bundle.options["shrink"]),
        flash_bytes=bundle.options["flash_bytes"],
        ram_bytes=bundle.options.get("ram_bytes"),
        input_rows=bool(bundle.options.get("input_rows", False)),
    )
    write_sources(compiled, profile, work)
    inputs = random_samples(compiled, samples)
    return Trial(compiled, work / "firmware", profile, inputs, progress)


def _facts(options: BuildOptions) -> dict[str, str | int | None]:
    return {
        "rounding": options.rounding.value,
        "optimize": options.optimize,
        "quantize": options.quantize,
        "shrink": options.shrink,
        "flash_bytes": options.flash_bytes,
        "ram_bytes": options.ram_bytes,
        "input_rows": options.input_rows,
    }


def _versions(lowered: Lowered) -> dict[str, str]:
    return {"edgec": edgec.__version__, **lowered.versions}
