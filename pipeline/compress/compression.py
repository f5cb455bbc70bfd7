"""A float model through a recipe: each step in a process of its own, resumable, then measured.

The folder of a compression holds `steps/NN-name/`, one folder a step with its model, checkpoints
and `done.json`; the finished `model.tflite`; the images of the model before and after; and
`compress.json`. Started again with the same model, data and recipe, it goes on where it was: a
step is done once, and its key names everything that it depends on.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import edgec
from edgec.codegen.selection import Optimize
from edgec.pipeline.compress.data_source import DataSource
from edgec.pipeline.compress.evaluation import Evaluation, evaluate
from edgec.pipeline.compress.metric import load_metric
from edgec.pipeline.compress.recipe import Recipe
from edgec.pipeline.compress.result import CompressionResult, ImageFigures, StepResult
from edgec.pipeline.compress.stored_data import stored_test
from edgec.pipeline.compress.technique import Technique, build_step
from edgec.pipeline.compress.work import disk_errors
from edgec.pipeline.driver import BuildOptions, BuildResult, build, build_model
from edgec.pipeline.errors import UsageError
from edgec.pipeline.load.source import detect, require_float
from edgec.pipeline.load.tflite import c_name
from edgec.pipeline.report.compression import draw, markdown
from edgec.pipeline.worker import Progress, Report, run_stage

STAGE = "edgec.pipeline.compress.stage"
STEP_TIMEOUT_S = 12 * 3600.0
RESULT = "compress.json"

BASELINE = "ptq"
"""The step that makes a float model int8 where only its image is wanted."""

Images = Literal["none", "ends", "each"]


@dataclass(frozen=True, slots=True)
class CompressOptions:
    """How to compress, and of what to build and measure firmware: nothing, the model before and
    after, or every step's."""

    recipe: Recipe
    data: DataSource
    metric: str | None = None
    target: str = "cortex-m4"
    optimize: Optimize = "balanced"
    out: Path | None = None
    seed: int = 0
    images: Images = "ends"


@dataclass(frozen=True, slots=True)
class _Run:
    """One compression: its name, its folder, and what all its steps share."""

    name: str
    folder: Path
    options: CompressOptions
    progress: Report
    started: Mapping[str, Any]

    @property
    def original(self) -> Path:
        """The folder of the float model and the data."""
        return _original(self.folder)

    @property
    def data(self) -> Path:
        """The stored splits."""
        return self.original / "data.npz"


@dataclass(frozen=True, slots=True)
class _Done:
    """A finished step: where its model is, its key, and what the worker said of it."""

    folder: Path
    key: str
    facts: Mapping[str, Any]


def compress(
    model: Path, options: CompressOptions, progress: Report
) -> tuple[CompressionResult, Path]:
    """Run a recipe on a Keras or ONNX model; return what it brought, and the folder it is in.

    Raises a subclass of EdgecError; what finished steps and epochs made is then kept in the
    folder, and the next call goes on from there.
    """
    name = c_name(model.stem)
    folder = (options.out or Path(f"{name}-{options.recipe.name}")).absolute()
    first = _begin(model, folder, options, progress)
    run = _Run(name, folder, options, progress, first.facts)
    done = [first]
    for number, step in enumerate(options.recipe.steps, start=1):
        place = folder / "steps" / f"{number:02}-{step.name}"
        done.append(_run_step(run, place, step, done[-1]))
    final = folder / "model.tflite"
    with disk_errors(final):
        shutil.copyfile(done[-1].folder / "model.tflite", final)
    result = _described(model, run, done)
    compiles = options.recipe.steps[-1].compiles
    if options.images != "none":
        if compiles:
            result = _with_images(result, run, done)
        result = replace(result, baseline=_scored(run, _baseline(run, first), in_c=True))
    result = replace(result, compressed=_scored(run, final, in_c=compiles))
    _write(folder / RESULT, result.json())
    _write(folder / "report.md", markdown(result))
    draw(result, folder / "plots")
    return result, folder


def compress_and_build(
    model: Path, how: CompressOptions, options: BuildOptions, progress: Report
) -> BuildResult:
    """Run a recipe on a model and build firmware from what it gives."""
    if not how.recipe.steps[-1].compiles:
        raise UsageError(
            f"recipe {how.recipe.name!r} ends in {how.recipe.steps[-1].name!r}, which does not "
            "become C",
            "use 'edgec compress' for a model that an interpreter runs",
        )
    _, folder = compress(model, how, progress)
    named = replace(options, name=options.name or model.stem)
    return build_model(folder / "model.tflite", named, progress)


def _scored(run: _Run, model: Path, *, in_c: bool) -> Evaluation:
    classes = run.started["classes"]
    metric = load_metric(run.options.metric, classes)
    split = stored_test(run.data)
    return evaluate(model, split, metric, classes, run.progress, in_c=in_c)


def _begin(model: Path, folder: Path, options: CompressOptions, progress: Report) -> _Done:
    """Have the model and the data read into the folder."""
    kind = detect(model)
    require_float(model, kind)
    place = _original(folder)
    _open_folder(folder)
    request = {
        "model": str(model.absolute()),
        "format": kind.name,
        "folder": str(place),
        "data": asdict(options.data),
        "metric": options.metric,
        "user_path": str(Path.cwd()),
    }
    facts = run_stage(f"{STAGE}:begin", request, progress=progress)
    identity = {
        "model": _hash(model),
        "data": facts["data_sha256"],
        "metric": options.metric,
        "seed": options.seed,
        "edgec": edgec.__version__,
    }
    return _Done(place, _key("", identity), facts)


def _hash(path: Path) -> str:
    """Return the SHA-256 of a file, or of all files of a folder."""
    paths = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return hashlib.sha256(b"".join(p.read_bytes() for p in paths)).hexdigest()


def _original(folder: Path) -> Path:
    return folder / "steps" / "00-original"


def _open_folder(folder: Path) -> None:
    """Take an empty folder, or that of an earlier compression, whose finished steps are used."""
    if folder.exists() and not (folder / "steps").is_dir() and any(folder.iterdir()):
        raise UsageError(
            f"{folder}: exists and is no folder of a compression", "choose another with -o"
        )
    try:
        _original(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written to: {error.strerror}") from None


def _run_step(run: _Run, place: Path, step: Technique, before: _Done) -> _Done:
    """Run one step, or take what it gave when it was run with the same input before."""
    use, parameters = step.name, asdict(step)
    key = _key(
        before.key,
        {"use": use, "parameters": parameters, "files": [_hash(path) for path in step.files()]},
    )
    done = place / "done.json"
    if done.is_file():
        kept = json.loads(done.read_text(encoding="utf-8"))
        if kept["key"] == key:
            run.progress(Progress(use, 1, 1, "done before"))
            return _Done(place, key, kept)
    begun = place / "key"
    if not (begun.is_file() and begun.read_text(encoding="utf-8") == key):
        shutil.rmtree(place, ignore_errors=True)
        with disk_errors(place):
            place.mkdir(parents=True)
        _write(begun, key)
    request = {
        "use": use,
        "parameters": parameters,
        "before": str(before.folder),
        "original": str(run.original),
        "folder": str(place),
        "metric": run.options.metric,
        "user_path": str(Path.cwd()),
        "seed": run.options.seed,
    }
    start = time.monotonic()
    answer = run_stage(
        f"{STAGE}:run_step", request, progress=run.progress, timeout_s=STEP_TIMEOUT_S
    )
    facts = {**answer, "key": key, "seconds": round(time.monotonic() - start, 1)}
    _write(done, json.dumps(facts, indent=2) + "\n")
    return _Done(place, key, facts)


def _key(before: str, facts: Mapping[str, Any]) -> str:
    text = before + json.dumps(facts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _described(model: Path, run: _Run, done: list[_Done]) -> CompressionResult:
    """Return what is known before anything is built."""
    options, started = run.options, run.started
    names = ["original", *(step.name for step in options.recipe.steps)]
    tables: list[dict[str, Any]] = [{}, *(asdict(step) for step in options.recipe.steps)]
    return CompressionResult(
        model=run.name,
        source=model.name,
        recipe=options.recipe.name,
        description=options.recipe.description,
        target=options.target,
        data=started["data"],
        metric=started["metric"],
        seed=options.seed,
        steps=tuple(
            StepResult.of(name, table, one.facts)
            for name, table, one in zip(names, tables, done, strict=True)
        ),
        warnings=tuple(started["warnings"]),
    )


def _baseline(run: _Run, done: _Done) -> Path:
    """Return a float step's model in int8, by the default quantisation."""
    place = done.folder / BASELINE
    return _run_step(run, place, build_step(BASELINE, {}, "baseline"), done).folder / "model.tflite"


def _with_images(result: CompressionResult, run: _Run, done: list[_Done]) -> CompressionResult:
    """Build and measure the images: of the original and the result, or of every step."""
    steps = list(result.steps)
    for number, one in enumerate(done):
        last = number == len(done) - 1
        if not last and number > 0 and run.options.images == "ends":
            continue
        model = one.folder / "model.tflite" if last else _baseline(run, one)
        steps[number] = replace(steps[number], image=_image(run, model, steps[number].name))
    return replace(result, steps=tuple(steps))


def _image(run: _Run, model: Path, label: str) -> ImageFigures:
    """Build, verify and measure one model on the target."""
    out = run.folder / f"{label}-{run.options.target}"
    made = build(
        model,
        target=run.options.target,
        optimize=run.options.optimize,
        name=run.name,
        out=out,
        progress=run.progress,
    ).result
    return ImageFigures.of(made)


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}")
    with disk_errors(path):
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
