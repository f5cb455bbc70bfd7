"""The main job as a list of stages you can read: `build_model`."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import edgec
from edgec.pipeline.attempt import benched, made_by
from edgec.pipeline.backends.base import AUTO, abstention, find_backend, usual_backend
from edgec.pipeline.bundle import Bundle, new_bundle, read_bundle, write_manifest
from edgec.pipeline.compile import optimized
from edgec.pipeline.contest import chosen, compete, is_contest, made_by_the_fastest
from edgec.pipeline.errors import UnsupportedModelError, UsageError
from edgec.pipeline.load.source import Format, detect
from edgec.pipeline.load.tflite import c_name
from edgec.pipeline.mlperf.run import MlperfResult, Mode, run_session
from edgec.pipeline.options import BuildOptions, kept, options_of
from edgec.pipeline.report.document import as_json, document
from edgec.pipeline.report.markdown import markdown
from edgec.pipeline.report.result import Result
from edgec.pipeline.subject import Subject
from edgec.pipeline.trial import Trial, random_samples, try_image, verify_host
from edgec.pipeline.verify import Verified
from edgec.pipeline.worker import Progress, Report
from edgec.targets.profile import Target, load_target
from edgec.targets.runners.native import observed
from edgec.targets.runners.ssh import reached_by_ssh
from edgec.targets.toolchain import compiler_of, equipped

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
    wanted = replace(options or BuildOptions(), **changes)
    return build_model(Path(model), wanted, progress or _silent)


def build_model(source: Path, options: BuildOptions, progress: Report) -> BuildResult:
    """Run every stage: lower, read, rewrite, plan, emit, project, build, verify, measure."""
    target = optimized(load_target(options.target), options.optimize)
    target = equipped(target, options.toolchain)
    name = c_name(options.name or source.stem)
    out = options.out or Path(f"{name}-{target.name}")
    with new_bundle(out) as work:
        onnx = _kept_onnx(source, target, work)
        subject = Subject(source, work / "model.tflite", name, target, options, progress, onnx)
        if is_contest(subject):
            made = made_by_the_fastest(subject, work)
        else:
            made = made_by(subject, _chosen(subject, options.backend), work)
        result = made.result
        (work / "result.json").write_text(as_json(document(result)), encoding="utf-8")
        (work / "report.md").write_text(markdown(result), encoding="utf-8")
        versions = {"edgec": edgec.__version__, **subject.lowered().versions}
        compiled = replace(options, toolchain=compiler_of(target))
        bundle = write_manifest(work, name, target.name, made.backend, kept(compiled), versions)
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
    way, report = _way(ssh, reach, install_runtime), progress or _silent

    def with_backend(name: str | None) -> Result:
        again = reopened(
            root, target, name, way, samples, report, threads=threads, competes=backend == AUTO
        )
        with again as trial:
            return benched(trial, allow_throttled)

    if backend != AUTO:
        return with_backend(backend)
    results: dict[str, Result] = {}

    def attempt(name: str) -> Result:
        results[name] = with_backend(name)
        return results[name]

    names = load_target(target or read_bundle(root).target).backends
    rivals = compete([(name, "") for name in names], attempt)
    return replace(results[chosen(rivals)], rivals=rivals)


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
    name = usual_backend(target) if asked in (None, AUTO) else str(asked)
    if name not in target.backends:
        raise UsageError(
            f"{target.name}: backend {name!r} does not build for it",
            f"backends of {target.name}: {', '.join(target.backends)}, or auto",
        )
    options = subject.options
    if name != "tvm" and (options.tune_trials or options.tune_minutes):
        raise UsageError(f"backend {name} has nothing to tune: only the backend tvm tunes")
    why = find_backend(name).refusal(subject)
    if why:
        raise UnsupportedModelError(f"{subject.source.name}: backend {name} refuses it: {why}")
    return name


def _kept_onnx(source: Path, target: Target, work: Path) -> Path | None:
    """Copy an ONNX source to the bundle of a computer, where other backends start from it."""
    if target.memories or detect(source) is not Format.ONNX:
        return None
    return Path(shutil.copyfile(source, work / "model.onnx"))


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
    competes: bool = False,
) -> Iterator[Trial]:
    """Yield a trial of a finished bundle (or of it on another target), which is only read.

    One that `competes` raises UnsupportedModelError if the backend stays out of contests.
    """
    bundle = read_bundle(root)
    options = options_of(bundle.options, target or bundle.target)
    options = replace(options, threads=threads or options.threads)
    profile = optimized(load_target(options.target), options.optimize)
    # What compiled a bundle compiles it again; for another target there may be no such compiler.
    profile = equipped(profile, "auto" if target else options.toolchain)
    if reach is not None:
        profile = reach(profile)
    elif profile.runner == "native":
        profile = observed(profile)
    with tempfile.TemporaryDirectory(prefix="edgec-") as folder:
        work = Path(folder)
        onnx = next((bundle.root / a.path for a in bundle.artifacts if a.kind == "onnx"), None)
        model, lowered = bundle.path("model"), work / "model.tflite"
        subject = Subject(model, lowered, bundle.name, profile, options, progress, onnx, root)
        name = _chosen(subject, backend or bundle.backend)
        if competes and (why := abstention(name, subject)):
            raise UnsupportedModelError(why)
        built = find_backend(name).build(subject, work)
        yield Trial(built, random_samples(built.ports, samples), progress)
