"""Measure every backend and peer on this PC, taking turns, and print them side by side.

Writes `build/bench-x86.json`, a list of rows: model, backend, dtype, threads, median_us, p95_us,
samples, ok; `ratio` is to LiteRT with as many threads, the median of the rounds, with its
quartiles, `of_onnxruntime` that to ONNX Runtime. `ok` is whether the answers were right; what is
not has no times, and `refused` is whether it was never meant to run. Models are the MLPerf Tiny
ones, as int8 and as float32, and what `tools/sbc_models.py` makes. What is lowered is kept in
`build/bench-x86/`.

`--prepare` does all but the timing: models are lowered, built and verified, and the float32 layers
that TVM never tuned are, for `--tune-minutes` a model (3 if not said). Schedules are kept in the
cache of edgec, so a run after it measures tuned code. A run tunes nothing unless it is told to.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from edgec.pipeline.backends.base import Built, backend_names, find_backend
from edgec.pipeline.backends.tvm import TvmBuilt
from edgec.pipeline.compile import optimized
from edgec.pipeline.errors import EdgecError, ToolMissingError, UnsupportedModelError
from edgec.pipeline.load.source import Format, detect
from edgec.pipeline.lower.tflite import Quantize, lower
from edgec.pipeline.options import BuildOptions
from edgec.pipeline.oracle import Sample
from edgec.pipeline.subject import Subject
from edgec.pipeline.trial import random_samples
from edgec.pipeline.verify import run_sample, verify_device
from edgec.targets.device_protocol import Device
from edgec.targets.profile import load_target
from edgec.targets.session import open_device
from edgec.targets.timing import spread
from tools.bench_x86_table import BASE, PEER, Row, shown, summary, write_docs
from tools.onnx_peers import dynamic_peer, float_peer, integer_peer

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("EDGEC_MODELS", ROOT.parent / "shared" / "models")) / "mlperf-tiny"
WORK = ROOT / "build" / "bench-x86"
DOCS = ROOT / "docs" / "performance-x86.md"
TINY = {
    "ic": ("ic_resnet8_int8.tflite", "ic_resnet8.h5"),
    "kws": ("kws_dscnn_int8.tflite", "kws_dscnn_savedmodel"),
    "vww": ("vww_mobilenetv1_int8.tflite", "vww_mobilenetv1.h5"),
    "ad": ("ad_fc_autoencoder_int8.tflite", "ad_fc_autoencoder.h5"),
}
LARGE: dict[str, tuple[Quantize, ...]] = {
    "mobilenet_v2": ("int8", "float32"),
    "distilbert": ("dynamic-range", "float32"),
}
THREADED = ("tflite", "onnxruntime")
TUNE_MINUTES = 3.0
ROUND_NS, LEAST_ROUNDS = 20_000_000, 11


@dataclass(frozen=True, slots=True)
class Case:
    """A model in one number format, and the file that it is lowered from."""

    model: str
    dtype: Quantize
    source: Path


@dataclass(frozen=True, slots=True)
class Ready:
    """A case as `.tflite`, and as ONNX for the peer; `why` is why there is none."""

    lowered: Path
    onnx: Path | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Tuning:
    """How long TVM searches for schedules of a case; `new` is whether only if it never did."""

    minutes: float | None = None
    trials: int | None = None
    new: bool = False

    @property
    def wanted(self) -> bool:
        """Whether it searches at all."""
        return self.minutes is not None or self.trials is not None


@dataclass(frozen=True, slots=True)
class Plan:
    """What all cases are run with."""

    target: str
    threads: list[int]
    tuning: Tuning


@dataclass(slots=True)
class Entry:
    """A backend with a number of threads, open and verified; `counts` are ns, a list a round."""

    backend: str
    threads: int
    device: Device
    built: Built
    sample: Sample
    runs: int = 1
    counts: list[tuple[int, ...]] | None = None


def cases() -> Iterator[Case]:
    """Yield every model in every number format."""
    for name, (int8, floats) in TINY.items():
        yield Case(name, "int8", SHARED / int8)
        yield Case(name, "float32", SHARED / floats)
    for name, dtypes in LARGE.items():
        path = WORK / "models" / f"{name}.onnx"
        for dtype in dtypes:
            yield Case(name, dtype, path)


def prepared(case: Case) -> Ready:
    """Return the model as `.tflite` and, if it can be made, as ONNX; what is there is kept."""
    if not case.source.exists():
        made = [sys.executable, str(ROOT / "tools" / "sbc_models.py")]
        subprocess.run([*made, str(case.source.parent), case.model], check=True)
    lowered = WORK / f"{case.model}-{case.dtype}.tflite"
    if not lowered.exists():
        lowered.parent.mkdir(parents=True, exist_ok=True)
        if detect(case.source) is Format.TFLITE:
            lowered.write_bytes(case.source.read_bytes())
        else:
            lower(case.source, lowered, quantize=case.dtype)
    try:
        return Ready(lowered, _peer(case, lowered))
    except EdgecError as error:
        return Ready(lowered, None, error.message)


def _peer(case: Case, lowered: Path) -> Path:
    out = lowered.with_suffix(".onnx")
    if case.dtype == "dynamic-range":
        return dynamic_peer(case.source, out)
    if case.dtype == "int8":
        return integer_peer(lowered, out)
    return case.source if case.source.suffix == ".onnx" else float_peer(lowered, out)


def entries(case: Case, plan: Plan, stack: ExitStack) -> Iterator[Entry | Row]:
    """Open what runs the case, verified; yield a row in place of what does not."""
    ready = prepared(case)
    options = BuildOptions(target=plan.target, quantize=case.dtype, optimize="speed")
    profile = optimized(load_target(plan.target), options.optimize)
    for backend in (name for name in profile.backends if name in backend_names()):
        for count in plan.threads if backend in THREADED else [1]:
            folder = WORK / "built" / f"{case.model}-{case.dtype}-{backend}-{count}"
            # What another version of edgec wrote would be compiled along.
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            own = replace(options, threads=count, backend=backend)
            subject = Subject(
                ready.lowered, ready.lowered, case.model, profile, own, _quiet, ready.onnx
            )
            try:
                if backend == PEER and ready.why:
                    raise UnsupportedModelError(ready.why)
                yield opened(backend, subject, folder, plan.tuning, stack)
            except EdgecError as error:
                refused = isinstance(error, ToolMissingError | UnsupportedModelError)
                why = error.message.partition("\n")[0]
                row = _row(case, backend, count)
                yield {**row, "ok": False, "why": why, "refused": refused}


def _quiet(progress: Any) -> None:
    del progress


def opened(backend: str, subject: Subject, folder: Path, tuning: Tuning, stack: ExitStack) -> Entry:
    """Build, tune if that is wanted, start and verify; raise EdgecError where that cannot be."""
    module = find_backend(backend)
    why = module.refusal(subject)
    if why:
        raise UnsupportedModelError(why)
    built = module.build(subject, folder)
    if isinstance(built, TvmBuilt) and tuning.wanted and (built.layers.untuned or not tuning.new):
        subject.options = replace(
            subject.options, tune_minutes=tuning.minutes, tune_trials=tuning.trials
        )
        built = module.build(subject, folder)
    device = stack.enter_context(open_device(built.image(), built.target))
    samples = random_samples(built.ports, 2)
    verify_device(device, built.ports, built.oracle, samples, backend, allowed=built.allowed)
    return Entry(backend, subject.options.threads, device, built, samples[-1], counts=[])


def take_turns(running: list[Entry], seconds: float) -> None:
    """Time all of them round by round, so that what disturbs the machine disturbs all alike."""
    for entry in running:
        run_sample(entry.device, entry.built.ports, entry.sample)
        once = statistics.median(entry.device.run(3, warmup=2).counts)
        entry.runs = max(1, min(100, math.ceil(ROUND_NS / once)))
        entry.runs = entry.runs if once < ROUND_NS else 1
    a_round = sum(e.runs * statistics.median(e.device.run(1).counts) for e in running) / 1e9
    rounds = max(LEAST_ROUNDS, min(100, round(seconds / a_round)))
    for number in range(rounds):
        order = running if number % 2 == 0 else running[::-1]
        for entry in order:
            assert entry.counts is not None
            entry.counts.append(entry.device.run(entry.runs, warmup=1).counts)


def rows_of(case: Case, running: list[Entry]) -> Iterator[Row]:
    """Yield a row for each, with its ratios to LiteRT and ONNX Runtime of as many threads."""
    by_name = {(e.backend, e.threads): e for e in running}
    for entry in running:
        counts = [count for part in entry.counts or () for count in part]
        found = spread(counts)
        row = _row(case, entry.backend, entry.threads)
        row["remark"] = entry.built.planned().remark
        row |= {"median_us": found.median / 1e3, "p95_us": found.p95 / 1e3, "samples": len(counts)}
        base, peer = (by_name.get((name, entry.threads)) for name in (BASE, PEER))
        if base is not None and base is not entry:
            low, middle, high = statistics.quantiles(ratios(entry, base), n=4)
            row |= {"ratio": middle, "ratio_low": low, "ratio_high": high}
        if peer is not None and peer is not entry:
            row["of_onnxruntime"] = statistics.median(ratios(entry, peer))
        yield row | {"ok": True}


def ratios(entry: Entry, other: Entry) -> list[float]:
    """Return the ratio of the medians of each round, in which both took their turn."""
    pairs = zip(entry.counts or (), other.counts or (), strict=True)
    return [statistics.median(a) / statistics.median(b) for a, b in pairs]


def _row(case: Case, backend: str, threads: int) -> Row:
    empty = {"median_us": None, "p95_us": None, "samples": 0}
    names = {"model": case.model, "backend": backend, "dtype": case.dtype, "threads": threads}
    return {**names, **empty}


def measure(case: Case, plan: Plan, seconds: float) -> list[Row]:
    """Measure a case; what could not be is in the rows too."""
    with ExitStack() as stack:
        found = list(entries(case, plan, stack))
        running = [entry for entry in found if isinstance(entry, Entry)]
        take_turns(running, seconds)
        return [*rows_of(case, running), *(row for row in found if isinstance(row, dict))]


def prepare(case: Case, plan: Plan) -> bool:
    """Do all but the timing of a case, saying what is ready; return whether all answered right."""
    right = True
    with ExitStack() as stack:
        for entry in entries(case, plan, stack):
            if isinstance(entry, Entry):
                name, threads = entry.backend, entry.threads
                said = entry.built.planned().remark or "ready"
            else:
                name, threads, said = entry["backend"], entry["threads"], entry["why"]
                right = right and _is_right(entry)
            print(f"  {name}, threads {threads}: {said}", file=sys.stderr)
    return right


def _is_right(row: Row) -> bool:
    return bool(row["ok"] or row["refused"])


def _cpu() -> str:
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    return next((x.partition(": ")[2] for x in info.split("\n") if x.startswith("model name")), "")


def main() -> int:
    """Run the benchmark."""
    asked = _arguments()
    names = asked.model or [*TINY, *LARGE]
    wanted = [
        case for case in cases()
        if case.model in names and case.dtype in (asked.dtype or [case.dtype])
    ]  # fmt: skip
    if not SHARED.is_dir() and any(case.model in TINY for case in wanted):
        print(f"no benchmark models in {SHARED}: set EDGEC_MODELS", file=sys.stderr)
        return 2
    tuning = Tuning(asked.tune_minutes, asked.tune_trials)
    rows: list[Row] = []
    if asked.add and asked.out.exists():
        mine = {(case.model, case.dtype) for case in wanted}
        old = json.loads(asked.out.read_text(encoding="utf-8"))
        rows = [row for row in old if (row["model"], row["dtype"]) not in mine]
    right = True
    for case in wanted:
        print(f"{case.model} {case.dtype}", file=sys.stderr)
        plan = Plan(asked.target, asked.threads or [1, 2], tuning)
        if not asked.prepare:
            rows += measure(case, plan, asked.seconds)
            continue
        if not tuning.wanted and case.dtype == "float32":
            plan = replace(plan, tuning=Tuning(TUNE_MINUTES, new=True))
        right = prepare(case, plan) and right
    if asked.prepare:
        return 0 if right else 1
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    if asked.docs:
        write_docs(rows, f"On one machine: {_cpu()}, {os.cpu_count()} cores.", DOCS)
    Console(width=150).print(shown(rows))
    print("\n".join(summary(rows)))
    return 0 if all(map(_is_right, rows)) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    names = [*TINY, *LARGE]
    parser.add_argument("--model", action="append", choices=names, help="only this model")
    parser.add_argument("--dtype", action="append", help="only this number format")
    parser.add_argument("--target", default="x86")
    parser.add_argument("--threads", type=int, action="append", help="1 and 2 otherwise")
    parser.add_argument("--seconds", type=float, default=5.0, help="of timing a case, about")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench-x86.json")
    parser.add_argument("--add", action="store_true", help="keep the rows of other cases in OUT")
    parser.add_argument("--prepare", action="store_true", help="all but the timing")
    parser.add_argument("--tune-minutes", type=float, help="have TVM search so long a case")
    parser.add_argument("--tune-trials", type=int, help="have TVM measure so many schedules a case")
    parser.add_argument("--docs", action="store_true", help="write the table into docs/ too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
