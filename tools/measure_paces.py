"""Count what every kernel takes on every core, and write its pace into the table of the core.

The benchmark models are built with one kernel after the other for each layer and run on the
emulated board. A pace is what was counted for each instruction that the kernel's cost states; the
printed table says how far the single layers then are from their prediction. It needs the benchmark
models, as `tools/bench_cortex_m.py` does.

usage: python tools/measure_paces.py [--target NAME ...] [--mode MODE ...]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from bench_cortex_m import MODELS, SHARED
from measure_kernels import ROOT, TABLES, text_of
from rich.console import Console
from rich.table import Table

from edgec.codegen.kernel_table import MODES, Optimize
from edgec.codegen.registry import Io, Step, as_kernel_op
from edgec.pipeline.compile import Compiled, optimized, write_sources
from edgec.pipeline.graph import Graph
from edgec.pipeline.load import tflite
from edgec.pipeline.oracle import random_sample
from edgec.pipeline.passes import run_passes
from edgec.pipeline.plan import plan_memory
from edgec.targets.profile import Target, load_target, target_names
from edgec.targets.session import open_device
from edgec.targets.toolchain import build_image

Counts = dict[str, list[tuple[int, int]]]
"""(stated, counted) instructions of each layer that a kernel computed."""


def rivals(graph: Graph, features: frozenset[str]) -> dict[tuple[str, ...], tuple[Step, ...]]:
    """Return every way to compute each op, with the cost as the kernel states it."""
    return {
        op.outputs: (kernel.lower(io), *kernel.variants(io, features))
        for op in graph.ops
        for kernel, io in [(as_kernel_op(op), Io.of(graph, op))]
    }


def assignments(graph: Graph, features: frozenset[str]) -> Iterator[dict[tuple[str, ...], Step]]:
    """Yield choices of kernels such that each kernel is chosen once wherever it applies."""
    found = rivals(graph, features)
    for rank in range(max(map(len, found.values()))):
        yield {outputs: steps[min(rank, len(steps) - 1)] for outputs, steps in found.items()}


def counted(
    model: bytes, source: Graph, steps: Mapping[tuple[str, ...], Step], target: Target
) -> list[tuple[Step, int]]:
    """Build one choice of kernels, run it, and return what each layer took."""
    graph, plan = plan_memory(source, target.features, steps=steps)
    with tempfile.TemporaryDirectory(prefix="edgec-paces-") as folder:
        write_sources(Compiled(model, source, graph, plan), target, Path(folder))
        image = build_image(Path(folder) / "firmware", target, profile=True)
        with open_device(image, target) as device:
            for index, values in enumerate(random_sample(graph, 1)):
                device.write_input(index, np.ascontiguousarray(values).tobytes())
            device.run(1, warmup=1)
            taken = {row.layer: row.count for row in device.layers()}
    return [(step, taken.get(index, 0)) for index, step in enumerate(plan.steps)]


def count_kernels(target: Target) -> Counts:
    """Return stated and counted instructions of every kernel, over all benchmark models."""
    counts: Counts = {}
    for name, file in MODELS.items():
        model = (SHARED / "mlperf-tiny" / file).read_bytes()
        source, _ = run_passes(tflite.parse(model, name), target)
        for steps in assignments(source, target.features):
            for step, taken in counted(model, source, steps, target):
                if step.cost is not None:
                    counts.setdefault(step.kernel, []).append((step.cost.instructions, taken))
    return counts


def pace_of(pairs: list[tuple[int, int]]) -> float:
    """Return the pace that predicts the layers' sum."""
    return float(f"{sum(taken for _, taken in pairs) / sum(stated for stated, _ in pairs):.4g}")


def rows_of(target: str, mode: str, counts: Counts) -> Iterator[tuple[str, ...]]:
    """Yield what was found of each kernel: predictions are per counted instruction."""
    for kernel, pairs in sorted(counts.items()):
        pace = pace_of(pairs)
        ratios = [pace * stated / taken for stated, taken in pairs]
        total = sum(taken for _, taken in pairs)
        error = sum(abs(pace * stated - taken) for stated, taken in pairs) / total
        yield (
            target, mode, kernel.removeprefix("edgec_"), str(len(pairs)), f"{total:,}",
            f"{pace:.3f}", f"{min(ratios):.2f}", f"{max(ratios):.2f}", f"{error:.1%}",
        )  # fmt: skip


def main() -> int:
    """Measure, print, and write the tables."""
    parser = argparse.ArgumentParser(description="Count what every kernel takes on every core.")
    parser.add_argument("--target", action="append", help="only this target (may be repeated)")
    parser.add_argument("--mode", action="append", choices=MODES, help="only this mode")
    chosen = parser.parse_args()
    shown = Table(title="predicted for each counted instruction, by layer")
    for name in ("target", "mode", "kernel", "layers", "counted", "pace", "least", "most", "error"):
        shown.add_column(name, justify="left" if len(shown.columns) < 3 else "right")
    for name in chosen.target or [t for t in target_names() if t.startswith("cortex-m")]:
        target = load_target(name)
        path = TABLES / f"{target.cpu}.json"
        mode: Optimize
        for mode in chosen.mode or MODES:
            print(f"{name} {mode}", file=sys.stderr)
            counts = count_kernels(optimized(target, mode))
            table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            for kernel, pairs in counts.items():
                pace = pace_of(pairs)
                paces = table["paces"].setdefault(kernel, [pace] * len(MODES))
                paces[MODES.index(mode)] = pace
            table["paces"] = dict(sorted(table["paces"].items()))
            path.write_text(text_of(table), encoding="utf-8")
            for row in rows_of(name, mode, counts):
                shown.add_row(*row)
        print(f"wrote {path.relative_to(ROOT)}", file=sys.stderr)
    Console(width=140).print(shown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
