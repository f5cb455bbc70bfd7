"""The main job as a list of stages you can read: `build_model`."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import edgec
from edgec.pipeline.accuracy import float_accuracy, load_labelled, measure_accuracy
from edgec.pipeline.answer import write_answer
from edgec.pipeline.backends.base import Built, find_backend, usual_backend
from edgec.pipeline.bundle import Bundle, new_bundle, read_bundle, write_manifest
from edgec.pipeline.compile import optimized
from edgec.pipeline.errors import BudgetError, UnsupportedModelError, UsageError
from edgec.pipeline.load.source import Format, detect
from edgec.pipeline.load.tflite import c_name
from edgec.pipeline.mlperf.run import MlperfResult, Mode, run_session
from edgec.pipeline.options import BuildOptions, kept, options_of
from edgec.pipeline.report.document import as_json, document
from edgec.pipeline.report.markdown import markdown
from edgec.pipeline.report.result import Result
from edgec.pipeline.subject import Subject
from edgec.pipeline.trial import Trial, random_samples, try_image, usual_samples, verify_host
from edgec.pipeline.verify import Verified
from edgec.pipeline.worker import Progress, Report
from edgec.targets.bench import BenchResult
from edgec.targets.device_protocol import Device
from edgec.targets.linkmap import check_budget
from edgec.targets.profile import Target, load_target
from edgec.targets.runners.base import runs_scripts
from edgec.targets.runners.board import probe_of
from edgec.targets.runners.ssh import reached_by_ssh
from edgec.targets.session import open_device
from edgec.targets.toolchain import Image, compiler_version

Reach = Callable[[Target], Target]

__all__ = ["BuildOptions", "BuildResult", "bench", "bench_mlperf", "build", "build_model", "verify"]


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
        onnx = _kept_onnx(source, target, work)
        subject = Subject(source, work / "model.tflite", name, target, options, progress, onnx)
        backend = _chosen(subject, options.backend)
        built = find_backend(backend).build(subject, work)
        result = _planned(subject, built)
        write_answer(built, work)
        if not options.emit_only:
            samples = random_samples(built.ports, options.samples or usual_samples(built.ports))
            trial = Trial(built, samples, progress)
            image = None if target.toolchain.builder else _link(trial, options)
            result = _tried(result, trial, image, options)
            if options.test is not None:
                result = _with_accuracy(result, trial, image, subject, options.test)
        (work / "result.json").write_text(as_json(document(result)), encoding="utf-8")
        (work / "report.md").write_text(markdown(result), encoding="utf-8")
        versions = {"edgec": edgec.__version__, **subject.lowered().versions}
        bundle = write_manifest(work, name, target.name, backend, kept(options), versions)
    return BuildResult(replace(bundle, root=out), result)


def verify(
    root: Path,
    *,
    samples: int = 20,
    target: str | None = None,
    backend: str | None = None,
    ssh: str | None = None,
    reach: Reach | None = None,
    install_runtime: bool = False,
    threads: int | None = None,
    progress: Report | None = None,
) -> tuple[Verified, ...]:
    """Compare what a bundle holds with the oracle, on the host and on its target (or another).

    `backend` and `threads` are others than the bundle's. `ssh` names the device that runs it: one
    of the user's, or USER@HOST[:PORT]; `install_runtime` puts there, into edgec's folder, what
    interprets a model. `reach` returns the target as it is reached in another way: `at_board`, or
    `at_port`.
    """
    way = _way(ssh, reach, install_runtime)
    with reopened(
        root, target, backend, way, samples, progress or _silent, threads=threads
    ) as trial:
        image = trial.built.image()
        host = verify_host(trial)
        own, _ = try_image(trial, image, trial.built.target.name, counted=False)
    return (own,) if host is None else (host, own)


def bench(
    root: Path,
    *,
    samples: int = 3,
    target: str | None = None,
    backend: str | None = None,
    ssh: str | None = None,
    reach: Reach | None = None,
    install_runtime: bool = False,
    threads: int | None = None,
    allow_throttled: bool = False,
    progress: Report | None = None,
) -> Result:
    """Verify what a bundle holds on its target (or another) and measure it there.

    The other arguments are as for `verify`; a device that throttles itself is refused unless
    `allow_throttled`.
    """
    way = _way(ssh, reach, install_runtime)
    with reopened(
        root, target, backend, way, samples, progress or _silent, threads=threads
    ) as trial:
        image = trial.built.image()
        checked, measured = _counted(trial, image, allow_throttled)
        built = trial.built
        serial, tool = probe_of(built.target)
        compiler = _compiler(image, built.target)
        result = replace(
            built.planned(), verified=checked, compiler=compiler, serial=serial, tool=tool
        )
        return built.measured(result, measured)


def bench_mlperf(
    root: Path,
    mode: Mode,
    dataset: Path,
    *,
    target: str | None = None,
    backend: str | None = None,
    ssh: str | None = None,
    reach: Reach | None = None,
    sessions: Path = Path("sessions"),
    progress: Report | None = None,
) -> MlperfResult:
    """Hold a session of MLPerf Tiny with a bundle's firmware, as the official runner does.

    `dataset` is a folder in that runner's layout; the session's files go to a new folder in
    `sessions`. The rest is as for `bench`.
    """
    report = progress or _silent
    with reopened(root, target, backend, _way(ssh, reach), 1, report) as trial:
        return run_session(
            trial.built,
            mode,
            dataset,
            sessions,
            lambda done, of: report(Progress(mode, done, of, trial.built.target.name)),
        )


def _way(ssh: str | None, reach: Reach | None, install_runtime: bool = False) -> Reach | None:
    """Return the one way to the device that was asked for."""
    if ssh is None:
        if install_runtime:
            raise UsageError("--install-runtime is for a device: it needs --ssh")
        return reach
    if reach is not None:
        raise UsageError("over SSH there is no board and no port", "give one of them")
    return lambda target: reached_by_ssh(target, ssh, install_runtime=install_runtime)


def _silent(progress: Progress) -> None:
    """Report nothing."""


def _chosen(subject: Subject, asked: str | None) -> str:
    """Return the backend that was asked for, or the target's usual one."""
    target = subject.target
    name = usual_backend(target) if asked is None else asked
    if name not in target.backends:
        raise UsageError(
            f"{target.name}: backend {name!r} does not build for it",
            f"backends of {target.name}: {', '.join(target.backends)}",
        )
    why = find_backend(name).refusal(subject)
    if why:
        raise UnsupportedModelError(f"{subject.source.name}: backend {name} refuses it: {why}")
    return name


def _kept_onnx(source: Path, target: Target, work: Path) -> Path | None:
    """Copy an ONNX source to the bundle of a computer, where other backends start from it."""
    if target.memories or detect(source) is not Format.ONNX:
        return None
    return Path(shutil.copyfile(source, work / "model.onnx"))


def _planned(subject: Subject, built: Built) -> Result:
    lowered = subject.lowered()
    layouts = tuple(
        f"{port.name}: {list(port.shape)} in the source is {list(port.keras_shape)} here"
        for port, name in zip(lowered.inputs, built.ports.inputs, strict=True)
        if port.to_keras != tuple(range(len(port.shape)))
        and port.keras_shape == built.ports[name].shape
    )
    return replace(
        built.planned(),
        source=subject.source.name,
        calibration=lowered.calibration,
        synthetic=lowered.synthetic,
        warnings=lowered.warnings,
        input_layouts=layouts,
        not_run=("compiling, verification and measurement (--emit-only)",),
    )


def _link(trial: Trial, options: BuildOptions) -> Image:
    """Compile and link the firmware; raise BudgetError if it does not fit."""
    target = trial.built.target
    trial.progress(Progress("build", 0, 0, f"compiling for {target.name}"))
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


@contextmanager
def reopened(
    root: Path,
    target: str | None,
    backend: str | None,
    reach: Reach | None,
    samples: int,
    progress: Report,
    *,
    threads: int | None = None,
) -> Iterator[Trial]:
    """Yield a trial of a finished bundle (or of it on another target), which is only read."""
    bundle = read_bundle(root)
    options = options_of(bundle.options, target or bundle.target)
    options = replace(options, threads=threads or options.threads)
    profile = optimized(load_target(options.target), options.optimize)
    if reach is not None:
        profile = reach(profile)
    with tempfile.TemporaryDirectory(prefix="edgec-") as folder:
        work = Path(folder)
        onnx = next((bundle.root / a.path for a in bundle.artifacts if a.kind == "onnx"), None)
        model, lowered = bundle.path("model"), work / "model.tflite"
        subject = Subject(model, lowered, bundle.name, profile, options, progress, onnx)
        name = _chosen(subject, backend or bundle.backend)
        built = find_backend(name).build(subject, work)
        yield Trial(built, random_samples(built.ports, samples), progress)
