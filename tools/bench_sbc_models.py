"""Build networks of single-board-computer size and time them beside LiteRT and onnxruntime.

    python tools/bench_sbc_models.py [mobilenet_v2 …] [--dtype float32 …] [--target x86 …]

`--dtype default` is float32, and int8 of image networks or dynamic range of transformers. Writes
`build/bench-sbc-models.json`, a list of rows: model, format, dtype, target, ok, build_s,
peak_memory_bytes (of edgec and its workers together), program_bytes, arena_bytes, and where the
target runs here aot_us, litert_us and ort_us: medians of as many inferences in turn, one thread
each. The peers run the same `.tflite` (LiteRT with its default delegate, XNNPACK) and the float32
ONNX file.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from edgec.pipeline.bundle import read_bundle
from edgec.pipeline.load import tflite
from edgec.pipeline.oracle import Sample, random_sample
from edgec.targets.profile import load_target
from edgec.targets.session import open_device
from edgec.targets.toolchain import build_image
from tools.sbc_models import MODELS, write_model

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "sbc-models"
RUNS, WARM_UP = 21, 3
SMALL = {"mobilenet_v2": "int8", "resnet50": "int8"}
"""What weights of 8 bits come in; in dynamic range elsewhere."""
HEAD = (
    "model", "from", "numbers", "target", "build", "peak memory", "program", "arena",
    "aot ms", "LiteRT ms", "onnxruntime ms", "of the better",
)  # fmt: skip


def bundle_of(model: str, kind: str, dtype: str, target: str) -> Path:
    """Return where a combination is built."""
    return WORK / f"{model}-{kind}-{dtype}-{target}"


def build(model: str, kind: str, dtype: str, target: str) -> dict[str, Any]:
    """Build a bundle through the command, watching the memory of all its processes."""
    source, out = WORK / f"{model}.{kind}", bundle_of(model, kind, dtype, target)
    if not source.exists():
        WORK.mkdir(parents=True, exist_ok=True)
        write_model(model, source)
    argv = [sys.executable, "-m", "edgec", "build", "--target", target, "--quantize", dtype,
            "--backend", "aot", "-o", str(out), str(source)]  # fmt: skip
    start, peak = time.monotonic(), 0
    with (WORK / f"{out.name}.log").open("w") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log)
        while process.poll() is None:
            peak = max(peak, sum(map(_memory, _tree(process.pid))))
            time.sleep(0.2)
    row = {"model": model, "format": kind, "dtype": dtype, "target": target,
           "ok": process.returncode == 0, "build_s": time.monotonic() - start,
           "peak_memory_bytes": peak}  # fmt: skip
    if row["ok"]:
        memory = json.loads((out / "result.json").read_text())["memory"]
        row |= {"program_bytes": memory["flash_bytes"], "arena_bytes": memory["arena_bytes"]}
    return row


def _tree(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [p for child in task.read_text().split() for p in _tree(int(child))]
        except OSError:
            continue
    return found


def _memory(pid: int) -> int:
    """Return the bytes of a process, those it shares divided among the sharers."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def compare(model: str, kind: str, dtype: str, target: str) -> dict[str, float]:
    """Return the median time of an inference by each, in microseconds, taken in turn."""
    root = bundle_of(model, kind, dtype, target)
    bundle = read_bundle(root)
    content = bundle.path("model").read_bytes()
    graph = tflite.parse(content, bundle.name)
    sample = random_sample(graph, 1)
    profile = load_target(target)
    peers = {"litert": _litert(content, sample)}
    if kind == "onnx":
        peers["ort"] = _onnxruntime(WORK / f"{model}.onnx")
    times: dict[str, list[float]] = {name: [] for name in ("aot", *peers)}
    with open_device(build_image(root / "firmware", profile), profile) as device:
        for index, value in enumerate(sample):
            device.write_input(index, np.ascontiguousarray(value).tobytes())
        for turn in range(WARM_UP + RUNS):
            taken = {"aot": device.run(1).counts[0] / 1e3}
            taken |= {name: _timed(run) for name, run in peers.items()}
            if turn >= WARM_UP:
                for name, value in taken.items():
                    times[name].append(value)
    return {f"{name}_us": statistics.median(values) for name, values in times.items()}


def _timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1e6


def _litert(content: bytes, sample: Sample) -> Callable[[], object]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    for detail, value in zip(interpreter.get_input_details(), sample, strict=True):
        interpreter.set_tensor(detail["index"], value)
    return lambda: interpreter.invoke()


def _onnxruntime(path: Path) -> Callable[[], object]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    feed = {
        item.name: rng.integers(0, 2, item.shape)
        if "int" in item.type
        else rng.uniform(-1, 1, item.shape).astype(np.float32)
        for item in session.get_inputs()
    }
    return lambda: session.run(None, feed)


def table(rows: list[dict[str, Any]]) -> Table:
    """Return the rows as people read them."""
    shown = Table(*HEAD)
    for row in rows:
        cells = [row[key] for key in ("model", "format", "dtype", "target")]
        cells += [f"{row['build_s']:.0f} s", f"{row['peak_memory_bytes'] / 1e9:.1f} GB"]
        if not row["ok"]:
            shown.add_row(*cells, "failed")
            continue
        cells += [f"{row['program_bytes'] / 1e6:.1f} MB", f"{row['arena_bytes'] / 1e6:.1f} MB"]
        if "aot_us" in row:
            times = [row.get(key) for key in ("aot_us", "litert_us", "ort_us")]
            cells += ["" if us is None else f"{us / 1e3:.2f}" for us in times]
            cells.append(f"{row['aot_us'] / min(filter(None, times[1:])):.2f}")
        shown.add_row(*cells)
    return shown


def main() -> int:
    """Build and compare every combination; 1 if one did not build."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", help=f"of {', '.join(MODELS)}; all without")
    parser.add_argument("--format", nargs="*", default=["onnx"], choices=["onnx", "keras"])
    parser.add_argument("--dtype", nargs="*", default=["default"])
    parser.add_argument("--target", nargs="*", default=["x86"])
    parser.add_argument("--keep", action="store_true", help="take bundles that are there already")
    chosen = parser.parse_args()
    rows: list[dict[str, Any]] = []
    out = ROOT / "build" / "bench-sbc-models.json"
    known = json.loads(out.read_text()) if chosen.keep and out.exists() else []
    for model, kind, target in product(chosen.models or MODELS, chosen.format, chosen.target):
        small = SMALL.get(model, "dynamic-range")
        for dtype in ["float32", small] if chosen.dtype == ["default"] else chosen.dtype:
            facts = {"model": model, "format": kind, "dtype": dtype, "target": target}
            key = facts | {"ok": True}
            old = next((row for row in known if key.items() <= row.items()), None)
            row = old or build(model, kind, dtype, target)
            if row["ok"] and "x86_64" in load_target(target).machines:
                row |= compare(model, kind, dtype, target)
            rows.append(row)
            out.write_text(json.dumps(rows, indent=1) + "\n")
    Console(width=int(os.environ.get("COLUMNS", "160"))).print(table(rows))
    return 0 if all(row["ok"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
