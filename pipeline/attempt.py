"""One backend's try at a subject: build, verify, measure."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from edgec.pipeline.accuracy import float_accuracy, load_labelled, measure_accuracy
from edgec.pipeline.answer import write_answer
from edgec.pipeline.backends.base import Built, find_backend
from edgec.pipeline.errors import BudgetError, UsageError
from edgec.pipeline.load.source import Format
from edgec.pipeline.options import BuildOptions
from edgec.pipeline.report.result import Result
from edgec.pipeline.subject import Subject
from edgec.pipeline.trial import Trial, random_samples, try_image, usual_samples, verify_host
from edgec.pipeline.verify import Verified
from edgec.pipeline.worker import Progress
from edgec.targets.bench import BenchResult
from edgec.targets.device_protocol import Device
from edgec.targets.linkmap import check_budget
from edgec.targets.profile import Target
from edgec.targets.runners.base import runs_scripts
from edgec.targets.runners.board import probe_of
from edgec.targets.session import open_device
from edgec.targets.toolchain import Image, compiler_version


@dataclass(frozen=True, slots=True)
class Made:
    """What a backend made of a subject in `folder`."""

    backend: str
    folder: Path
    result: Result


def made_by(subject: Subject, backend: str, folder: Path) -> Made:
    """Build, verify and measure with one backend."""
    options, target = subject.options, subject.target
    built = find_backend(backend).build(subject, folder)
    result = _planned(subject, built)
    write_answer(built, folder)
    if not options.emit_only:
        samples = random_samples(built.ports, options.samples or usual_samples(built.ports))
        trial = Trial(built, samples, subject.progress)
        image = None if target.toolchain.builder else _link(trial, options)
        result = _tried(result, trial, image, options)
        if options.test is not None:
            result = _with_accuracy(result, trial, image, subject, options.test)
    return Made(backend, folder, result)


def benched(trial: Trial, allow_throttled: bool) -> Result:
    """Verify and measure what a bundle was built anew to."""
    built = trial.built
    image = built.image()
    checked, measured = _counted(trial, image, allow_throttled)
    serial, tool = probe_of(built.target)
    compiler = _compiler(image, built.target)
    result = replace(built.planned(), verified=checked, compiler=compiler, serial=serial, tool=tool)
    return built.measured(result, measured)


def _planned(subject: Subject, built: Built) -> Result:
    lowered, planned = subject.lowered(), built.planned()
    layouts = tuple(
        f"{port.name}: {list(port.shape)} in the source is {list(port.keras_shape)} here"
        for port, name in zip(lowered.inputs, built.ports.inputs, strict=True)
        if port.to_keras != tuple(range(len(port.shape)))
        and port.keras_shape == built.ports[name].shape
    )
    return replace(
        planned,
        source=subject.source.name,
        calibration=lowered.calibration,
        synthetic=lowered.synthetic,
        warnings=(*lowered.warnings, *planned.warnings),
        input_layouts=layouts,
        not_run=("compiling, verification and measurement (--emit-only)",),
    )


def _link(trial: Trial, options: BuildOptions) -> Image:
    """Compile and link the firmware; raise BudgetError if it does not fit."""
    target = trial.built.target
    slow = ", with zig: minutes at first" if target.toolchain.compiler == "zig" else ""
    trial.progress(Progress("build", 0, 0, f"compiling for {target.name}{slow}"))
    image = trial.built.image()
    if image.size is not None:
        check_budget(image.size, target, options.flash_bytes, options.ram_bytes)
    return image


def _untried(image: Image | None, target: Target) -> str:
    """Return what a build cannot try out by itself; empty if it can try everything."""
    if image is None or target.runner == "board":
        return "the board itself, which a build does not flash: edgec flash, edgec bench"
    if image.script is not None and not runs_scripts(target):
        return f"{target.name} itself, whose Python is on the device: edgec bench --ssh DEVICE"
    return ""


def _compiler(image: Image, target: Target) -> str:
    """Return what compiled an image; nothing does what is interpreted."""
    return compiler_version(target.toolchain) if image.script is None else ""


def _tried(result: Result, trial: Trial, image: Image | None, options: BuildOptions) -> Result:
    """Verify and measure the image, unless told not to; None is one that a vendor's tool builds."""
    target = trial.built.target
    skipped = []
    if image is None:
        where = "in the bundle's firmware folder"
        skipped = [f"compiling, and whether it fits: {target.toolchain.builder} build, {where}"]
    else:
        flash = None if image.size is None else image.size.flash_bytes
        memory = replace(result.memory, flash_bytes=flash, binary_bytes=image.binary_bytes)
        result = replace(result, compiler=_compiler(image, target), memory=memory)
    if not options.verify:
        skipped.append("verification and measurement (--no-verify)")
        return replace(result, not_run=tuple(skipped))
    why = _untried(image, target)
    if image is None or why:
        skipped.append(why)
        host = verify_host(trial)
        verified = () if host is None else (host,)
        return replace(result, verified=verified, not_run=tuple(skipped))
    checked, measured = _counted(trial, image)
    if options.ram_bytes is not None and (measured.ram_bytes or 0) > options.ram_bytes:
        raise BudgetError(
            f"the model takes {measured.ram_bytes} bytes of RAM, {measured.stack_bytes} of them "
            f"stack; {options.ram_bytes} allowed",
            "shrink the model, or raise --ram",
        )
    result = replace(result, verified=checked, not_run=())
    return trial.built.measured(result, measured)


def _counted(
    trial: Trial, image: Image, allow_throttled: bool = False
) -> tuple[tuple[Verified, ...], BenchResult]:
    """Compare host and target with the oracle, and measure the target."""
    host = verify_host(trial)
    name = trial.built.target.name
    own, measured = try_image(trial, image, name, counted=True, allow_throttled=allow_throttled)
    assert measured is not None
    return (own,) if host is None else (host, own), measured


def _with_accuracy(
    result: Result, trial: Trial, image: Image | None, subject: Subject, test: Path
) -> Result:
    """Classify the labelled samples of `test` in float, in the reference and on the device."""
    ports, progress = trial.built.ports, trial.progress
    source, inputs = subject.source, subject.lowered().inputs
    if len(inputs) != 1 or len(ports.outputs) != 1:
        raise UsageError("--test measures classifiers: one input and one output wanted")
    if ports[ports.inputs[0]].shape != inputs[0].keras_shape:
        raise UsageError(f"--test has no effect: {result.backend} takes the source's own layout")
    labelled = load_labelled(test, inputs[0], ports[ports.outputs[0]].size)
    in_float = None
    if subject.format is not Format.TFLITE:
        progress(Progress("accuracy", 0, 0, "running the float model"))
        in_float = float_accuracy(source, labelled, inputs[0])
    target = trial.built.target
    if image is None or _untried(image, target):
        there: AbstractContextManager[Device | None] = nullcontext()
    else:
        there = open_device(image, target)
    with there as device:
        accuracy = measure_accuracy(
            ports,
            trial.built.oracle,
            labelled,
            float_model=in_float,
            device=device,
            progress=lambda n, of: progress(Progress("accuracy", n, of, target.name)),
        )
    return replace(result, accuracy=accuracy)
