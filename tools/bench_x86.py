"""Measure every backend and peer on this PC, taking turns, and print them side by side.

Writes `build/bench-x86.json`, a list of rows: model, backend, dtype, threads, median_us, p95_us,
samples, ok; `ratio` is to LiteRT with as many threads, the median of the rounds, with its
quartiles. `ok` is whether the answers were right; what is not has no times. Models are the MLPerf
Tiny ones, as int8 and as float32, and what `tools/sbc_models.py` makes. What is lowered is kept in
`build/bench-x86/`, so that a second run only measures.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from edgec.pipeline.backends.base import Built, backend_names, find_backend
from edgec.pipeline.compile import optimized
from edgec.pipeline.errors import EdgecError
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

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("EDGEC_MODELS", ROOT.parent / "shared" / "models")) / "mlperf-tiny"
WORK = ROOT / "build" / "bench-x86"
DOCS = ROOT / "docs" / "performance-x86.md"
BEGIN, END = "<!-- bench-x86: begin -->", "<!-- bench-x86: end -->"
HEAD = ("model", "numbers", "threads", "backend", "median µs", "p95 µs", "of LiteRT", "quartiles")

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
BASE = "tflite"
ROUND_NS, LEAST_ROUNDS = 20_000_000, 11

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """A model in one number format: what it is lowered from, and the ONNX file of its own."""

    model: str
    dtype: Quantize
    source: Path
    onnx: Path | None = None


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
            yield Case(name, dtype, path, path if dtype == "float32" else None)


def prepared(case: Case) -> tuple[Path, Path | None]:
    """Return the model as `.tflite`, and for float32 as ONNX; what is not there is made."""
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
    onnx = case.onnx
    if onnx is None and case.dtype == "float32":
        onnx = lowered.with_suffix(".onnx")
        if not onnx.exists():
            tool = [sys.executable, "-m", "tf2onnx.convert", "--opset", "17"]
            subprocess.run(
                [*tool, "--tflite", str(lowered), "--output", str(onnx)],
                check=True, capture_output=True,
            )  # fmt: skip
    return lowered, onnx


def entries(case: Case, target: str, threads: list[int], stack: ExitStack) -> Iterator[Entry | Row]:
    """Open what runs the case, verified; yield a row in place of what does not."""
    lowered, onnx = prepared(case)
    options = BuildOptions(target=target, quantize=case.dtype, optimize="speed")
    profile = optimized(load_target(target), options.optimize)
    for backend in (name for name in profile.backends if name in backend_names()):
        for count in threads if backend in THREADED else [1]:
            folder = WORK / "built" / f"{case.model}-{case.dtype}-{backend}"
            folder.mkdir(parents=True, exist_ok=True)
            own = replace(options, threads=count, backend=backend)
            quiet: Callable[[Any], None] = lambda progress: None  # noqa: E731
            subject = Subject(lowered, lowered, case.model, profile, own, quiet, onnx)
            try:
                yield opened(backend, subject, folder, stack)
            except EdgecError as error:
                yield {**_row(case, backend, count), "ok": False, "why": error.message}


def opened(backend: str, subject: Subject, folder: Path, stack: ExitStack) -> Entry:
    """Build, start and verify; raise EdgecError where that cannot be."""
    module = find_backend(backend)
    why = module.refusal(subject)
    if why:
        raise EdgecError(why)
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
    """Yield a row for each, with its ratio to LiteRT of as many threads."""
    base = {e.threads: e for e in running if e.backend == BASE}
    for entry in running:
        counts = [count for part in entry.counts or () for count in part]
        found = spread(counts)
        row = _row(case, entry.backend, entry.threads)
        row["remark"] = entry.built.planned().remark
        row |= {"median_us": found.median / 1e3, "p95_us": found.p95 / 1e3, "samples": len(counts)}
        other = base.get(entry.threads)
        if other is not None and other is not entry:
            pairs = zip(entry.counts or (), other.counts or (), strict=True)
            ratios = [statistics.median(a) / statistics.median(b) for a, b in pairs]
            low, middle, high = statistics.quantiles(ratios, n=4)
            row |= {"ratio": middle, "ratio_low": low, "ratio_high": high}
        yield row | {"ok": True}


def _row(case: Case, backend: str, threads: int) -> Row:
    empty = {"median_us": None, "p95_us": None, "samples": 0}
    names = {"model": case.model, "backend": backend, "dtype": case.dtype, "threads": threads}
    return {**names, **empty}


def measure(case: Case, target: str, threads: list[int], seconds: float) -> list[Row]:
    """Measure a case; what could not be is in the rows too."""
    with ExitStack() as stack:
        found = list(entries(case, target, threads, stack))
        running = [entry for entry in found if isinstance(entry, Entry)]
        take_turns(running, seconds)
        return [*rows_of(case, running), *(row for row in found if isinstance(row, dict))]


def cells(row: Row) -> tuple[str, ...]:
    """Return a row of the table as text."""
    ratio = f"{row['ratio']:.2f}" if "ratio" in row else "1" if row["backend"] == BASE else ""
    quartiles = f"{row['ratio_low']:.2f} to {row['ratio_high']:.2f}" if "ratio" in row else ""
    median = f"{row['median_us']:,.1f}" if row["ok"] else row["why"]
    p95 = f"{row['p95_us']:,.1f}" if row["ok"] else ""
    remark = row.get("remark", "")
    backend = f"{row['backend']} ({remark})" if remark else row["backend"]
    threads = str(row["threads"])
    return row["model"], row["dtype"], threads, backend, median, p95, ratio, quartiles


def summary(rows: list[Row]) -> str:
    """Say how `aot` stands against LiteRT on the int8 benchmark models, with one thread."""
    ratios = {
        row["model"]: row["ratio"] for row in rows
        if row["backend"] == "aot" and row["dtype"] == "int8" and "ratio" in row
        and row["model"] in TINY
    }  # fmt: skip
    if not ratios:
        return "aot was not measured on the int8 benchmark models"
    worst = max(ratios, key=lambda name: ratios[name])
    return (
        f"aot int8 against LiteRT int8, one thread, {len(ratios)} benchmark models: geometric mean "
        f"{statistics.geometric_mean(ratios.values()):.2f}, at most {ratios[worst]:.2f} ({worst})"
    )


def write_docs(rows: list[Row], where: str) -> None:
    """Replace the table in the documentation."""
    lines = [where, "", "| " + " | ".join(HEAD) + " |"]
    lines.append("| --- | --- | ---: | --- | ---: | ---: | ---: | --- |")
    lines += ["| " + " | ".join(cells(row)) + " |" for row in rows]
    lines += ["", summary(rows) + "."]
    head, _, rest = DOCS.read_text(encoding="utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    body = "\n".join(lines)
    DOCS.write_text(f"{head}{BEGIN}\n{body}\n{END}{tail}", encoding="utf-8")


def _cpu() -> str:
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    return next((x.partition(": ")[2] for x in info.split("\n") if x.startswith("model name")), "")


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = [*TINY, *LARGE]
    parser.add_argument("--model", action="append", choices=names, help="only this model")
    parser.add_argument("--dtype", action="append", help="only this number format")
    parser.add_argument("--target", default="x86")
    parser.add_argument("--threads", type=int, action="append", help="1 and 2 otherwise")
    parser.add_argument("--seconds", type=float, default=3.0, help="of timing a case, about")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench-x86.json")
    parser.add_argument("--add", action="store_true", help="keep the rows of other cases in OUT")
    parser.add_argument("--prepare", action="store_true", help="lower the models and stop")
    parser.add_argument("--docs", action="store_true", help="write the table into docs/ too")
    asked = parser.parse_args()
    wanted = [
        case for case in cases()
        if case.model in (asked.model or names) and case.dtype in (asked.dtype or [case.dtype])
    ]  # fmt: skip
    if not SHARED.is_dir() and any(case.model in TINY for case in wanted):
        print(f"no benchmark models in {SHARED}: set EDGEC_MODELS", file=sys.stderr)
        return 2
    rows: list[Row] = []
    if asked.add and asked.out.exists():
        mine = {(case.model, case.dtype) for case in wanted}
        old = json.loads(asked.out.read_text(encoding="utf-8"))
        rows = [row for row in old if (row["model"], row["dtype"]) not in mine]
    for case in wanted:
        print(f"{case.model} {case.dtype}", file=sys.stderr)
        if asked.prepare:
            prepared(case)
        else:
            rows += measure(case, asked.target, asked.threads or [1, 2], asked.seconds)
    if asked.prepare:
        return 0
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    if asked.docs:
        write_docs(rows, f"On one machine: {_cpu()}, {os.cpu_count()} cores.")
    shown = Table(*HEAD)
    for row in rows:
        shown.add_row(*cells(row))
    Console(width=140).print(shown)
    print(summary(rows))
    return 0 if all(row["ok"] or "differs from" not in row["why"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
