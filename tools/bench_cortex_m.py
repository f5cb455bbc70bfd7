"""Build the benchmark models for every Cortex-M target and mode, run them, print them side by side.

Writes `build/bench-cortex-m.json`, a list of rows: model, target, mode, rounding, instructions,
macs, flash_bytes, weights_bytes, ram_bytes, arena_bytes, stack_bytes, exact, samples, layers.
Counts are executed instructions of one inference on the emulated core, not cycles. Peers are read
from a file of recorded runs, where there is one.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from edgec.pipeline.driver import build
from edgec.pipeline.errors import EdgecError
from edgec.pipeline.graph import Rounding
from edgec.targets.profile import target_names

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("EDGEC_MODELS", ROOT.parent / "shared" / "models"))
MODELS = {
    "ic": "ic_resnet8_int8.tflite",
    "kws": "kws_dscnn_int8.tflite",
    "vww": "vww_mobilenetv1_int8.tflite",
    "ad": "ad_fc_autoencoder_int8.tflite",
}
HEAD = (
    "target", "model", "mode", "instructions", "per MAC", "of peer", "flash", "of peer",
    "RAM", "of peer", "arena", "stack",
)  # fmt: skip
DOCS = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
MODES = ("size", "balanced", "speed")
PEER_CORES = {"cortex-m4": "M4", "cortex-m33": "M4", "cortex-m7": "M7", "cortex-m55": "M55"}
"""Which recorded core a target is set beside."""


def measure(key: str, target: str, mode: str, rounding: str, samples: int) -> dict[str, Any]:
    """Build, verify and measure one combination."""
    with tempfile.TemporaryDirectory(prefix="edgec-bench-") as folder:
        result = build(
            SHARED / "mlperf-tiny" / MODELS[key],
            target=target,
            optimize=mode,
            rounding=Rounding(rounding),
            samples=samples,
            name=key,
            out=Path(folder) / "bundle",
        ).result
    memory, checked = result.memory, result.verified[-1]
    return {
        "model": key,
        "target": target,
        "mode": mode,
        "rounding": rounding,
        "instructions": result.total,
        "macs": result.macs,
        "flash_bytes": memory.flash_bytes,
        "weights_bytes": memory.weight_bytes,
        "ram_bytes": memory.ram_bytes,
        "arena_bytes": memory.arena_bytes,
        "stack_bytes": memory.stack_bytes,
        "exact": checked.exact,
        "samples": checked.samples,
        "layers": [
            {"op": row.op, "output": row.output, "kernel": row.kernel, "macs": row.macs,
             "instructions": row.count, "predicted": row.predicted, "chosen": row.chosen}
            for row in result.layers
        ],
    }  # fmt: skip


def peers() -> list[dict[str, Any]]:
    """Return the recorded totals of TFLM + CMSIS-NN; none where there is no record."""
    path = SHARED.parent / "peers" / "cortex-m.json"
    if not path.is_file():
        return []
    totals: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["totals"]
    return totals


def peer_best(totals: list[dict[str, Any]], target: str, key: str, field: str) -> int | None:
    """Return the smallest recorded figure of CMSIS-NN for a model on the target's core."""
    core = PEER_CORES.get(target)
    found = [
        int(t[field])
        for t in totals
        if t["model"] == key and core and t["config"].startswith(core) and "CMSIS" in t["config"]
    ]
    return min(found, default=None)


def cells(row: dict[str, Any], totals: list[dict[str, Any]]) -> tuple[str, ...]:
    """Return a row of the table as text."""
    ratios = []
    for field in ("instructions", "flash_bytes", "ram_bytes"):
        best = peer_best(totals, row["target"], row["model"], field)
        ratios.append("" if best is None else f"{row[field] / best:.2f}")
    return (
        row["target"], row["model"], row["mode"], f"{row['instructions']:,.0f}",
        f"{row['instructions'] / row['macs']:.2f}", ratios[0], f"{row['flash_bytes']:,}",
        ratios[1], f"{row['ram_bytes']:,}", ratios[2], f"{row['arena_bytes']:,}",
        f"{row['stack_bytes']:,}",
    )  # fmt: skip


def table(rows: list[dict[str, Any]], totals: list[dict[str, Any]]) -> Table:
    """Return all rows beside the peer's figures."""
    made = Table(title="executed instructions, second inference; flash and RAM in bytes")
    for name in HEAD:
        made.add_column(name, justify="left" if name in HEAD[:3] else "right")
    for row in rows:
        made.add_row(*cells(row, totals))
    return made


def write_docs(rows: list[dict[str, Any]], totals: list[dict[str, Any]]) -> None:
    """Put rows into the table in the documentation, in place of those of the same builds."""
    head, _, rest = DOCS.read_text(encoding="utf-8").partition(BEGIN)
    body, _, tail = rest.partition(END)
    lines = {tuple(line.split(" | ")[:3]): line for line in body.strip().splitlines()[2:]}
    for row in rows:
        line = "| " + " | ".join(cells(row, totals)) + " |"
        lines[tuple(line.split(" | ")[:3])] = line
    first = ["| " + " | ".join(HEAD) + " |", "| --- " * 3 + "| ---: " * (len(HEAD) - 3) + "|"]
    body = "\n".join([*first, *lines.values()])
    DOCS.write_text(f"{head}{BEGIN}\n{body}\n{END}{tail}", encoding="utf-8")


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", action="append", help="only this target (may be repeated)")
    parser.add_argument("--model", action="append", choices=MODELS, help="only this model")
    parser.add_argument("--mode", action="append", choices=MODES, help="only this mode")
    parser.add_argument("--rounding", default="tflite", choices=("tflite", "tflm"))
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench-cortex-m.json")
    parser.add_argument("--docs", action="store_true", help="write these rows into docs/ too")
    chosen = parser.parse_args()
    if not (SHARED / "mlperf-tiny").is_dir():
        print(f"no benchmark models in {SHARED}: set EDGEC_MODELS", file=sys.stderr)
        return 2
    targets = chosen.target or [t for t in target_names() if t.startswith("cortex-m")]
    rows: list[dict[str, Any]] = []
    for target in targets:
        for key in chosen.model or MODELS:
            for mode in chosen.mode or MODES:
                print(f"{target} {key} {mode}", file=sys.stderr)
                try:
                    rows.append(measure(key, target, mode, chosen.rounding, chosen.samples))
                except EdgecError as error:
                    print(f"{target} {key} {mode}: {error}", file=sys.stderr)
                    return error.exit_code
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    totals = peers()
    if chosen.docs:
        write_docs(rows, totals)
    Console(width=140).print(table(rows, totals))
    return 0


if __name__ == "__main__":
    sys.exit(main())
