"""Run every shipped recipe on small trained models and measure what each brings.

Writes build/bench-compression.json, a list of rows, and with --docs the table in
docs/compression.md. The models are scikit-learn's digits and a generated vibration, trained once
and kept in build/trained-models. Rows that are there already are kept; --fresh forgets them.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from edgec.pipeline.compress.compression import CompressOptions, compress  # noqa: E402
from edgec.pipeline.compress.data_source import data_source_from  # noqa: E402
from edgec.pipeline.compress.recipe import load_recipe, recipe_names  # noqa: E402
from edgec.pipeline.compress.result import CompressionResult  # noqa: E402
from edgec.pipeline.errors import EdgecError  # noqa: E402
from tests.support.digits import trained  # noqa: E402

OUT = ROOT / "build" / "bench-compression.json"
PAGE = ROOT / "docs" / "compression.md"
BEGIN, END = "<!-- bench begin -->", "<!-- bench end -->"
MODELS = ("digits_cnn", "digits_dscnn", "digits_resnet")

Row = dict[str, Any]
Case = tuple[str, str, str, int]


def measure(case: Case, target: str) -> Row:
    """Run one recipe on one model file; return a row, with `error` where it was refused."""
    name, source, recipe, seed = case
    model = trained(name)
    path = model.keras if source == "keras" else model.onnx
    row: Row = {"model": name, "source": source, "recipe": recipe, "seed": seed, "target": target}
    with tempfile.TemporaryDirectory(prefix="edgec-bench-") as folder:
        options = CompressOptions(
            load_recipe(recipe),
            data_source_from(str(model.data)),
            target=target,
            out=Path(folder) / "c",
            seed=seed,
        )
        try:
            result, _ = compress(path, options, lambda progress: None)
        except EdgecError as error:
            return {**row, "error": str(error)}
    return {**row, **figures(result)}


def figures(result: CompressionResult) -> Row:
    """Return what a row says of a result."""
    first, last = result.steps[0].image, result.steps[-1].image
    before, after = result.baseline, result.compressed
    assert before is not None and after is not None
    row: Row = {
        "float": result.steps[0].score,
        "dense_int8": before.interpreter,
        "compressed": after.interpreter,
        "generated_c": after.generated_c,
        "samples": after.samples,
        "seconds": round(sum(step.seconds for step in result.steps), 1),
        "peak_bytes": max(step.peak_bytes or 0 for step in result.steps),
        "notes": {step.name: step.notes for step in result.steps if step.notes},
    }
    for label, image in (("dense", first), ("image", last)):
        if image is not None:
            row[label] = {
                "flash_bytes": image.flash_bytes,
                "weight_bytes": image.weight_bytes,
                "ram_bytes": image.ram_bytes,
                "instructions": image.count,
                "macs": image.macs,
                "exact": image.exact,
            }
    return row


def cases(models: Sequence[str], recipes: Sequence[str], sources: Sequence[str]) -> list[Case]:
    """Return what is to be run: each recipe on each model, `ptq` and `qat` with three seeds."""
    found = []
    for recipe in recipes:
        seeds = (0, 1, 2) if recipe in ("ptq", "qat") else (0,)
        found += [(m, s, recipe, seed) for m in models for s in sources for seed in seeds]
    return found


def key(row: Row) -> Case:
    """Return the case that a row is of."""
    return row["model"], row["source"], row["recipe"], row["seed"]


def write_docs(rows: Iterable[Row]) -> None:
    """Put the table of rows, one a model and recipe, into the page."""
    chosen = sorted((r for r in rows if r["seed"] == 0), key=key)
    sizes = ("flash", "RAM", "instructions", "time, s", "peak, MB")
    head = ("model", "from", "recipe", "accuracy", *sizes)
    lines = [_line(head), _line(("---",) * len(head))]
    lines += [_line(_cells(row)) for row in chosen]
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    body = "\n".join(lines)
    PAGE.write_text(f"{before}{BEGIN}\n\n{body}\n\n{END}{after}", encoding="utf-8")


def _cells(row: Row) -> tuple[str, ...]:
    named = (row["model"].replace("_", " "), row["source"], f"`{row['recipe']}`")
    if "error" in row:
        return (*named, f"refused: {row['error'].splitlines()[0]}", *("",) * 5)
    accuracy = f"{row['float']:.3f} → {row['compressed']:.3f}"
    sizes: tuple[str, ...] = ("", "", "")
    if "image" in row:
        dense, image = row["dense"], row["image"]
        sizes = tuple(
            f"{image[name]:,.0f} ({image[name] / dense[name]:.2f}x)"
            for name in ("flash_bytes", "ram_bytes", "instructions")
        )
    return (*named, accuracy, *sizes, f"{row['seconds']:.0f}", f"{row['peak_bytes'] / 1e6:,.0f}")


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def show(row: Row) -> None:
    """Print a row."""
    print(" ".join(_cells(row)), flush=True)


def main() -> int:
    """Run what is asked for and write it down."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--recipes", nargs="+", default=recipe_names())
    parser.add_argument("--sources", nargs="+", default=["keras", "onnx"])
    parser.add_argument("--target", default="cortex-m4")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--fresh", action="store_true", help="forget earlier rows")
    parser.add_argument("--docs", action="store_true", help="write the table in the manual")
    given = parser.parse_args()
    kept: list[Row] = [] if given.fresh or not OUT.exists() else json.loads(OUT.read_text())
    rows = {key(row): row for row in kept if "error" not in row}
    wanted = [c for c in cases(given.models, given.recipes, given.sources) if c not in rows]
    for name in given.models:
        trained(name)
    with ThreadPoolExecutor(given.jobs) as pool:
        running = [pool.submit(measure, case, given.target) for case in wanted]
        for done in as_completed(running):
            row = done.result()
            rows[key(row)] = row
            show(row)
            OUT.parent.mkdir(exist_ok=True)
            partial = OUT.with_suffix(".partial")
            partial.write_text(json.dumps([rows[k] for k in sorted(rows)], indent=1) + "\n")
            shutil.move(partial, OUT)
    for name in given.models:
        for recipe in ("ptq", "qat"):
            scores = [r["compressed"] for k, r in rows.items() if k[0] == name and k[2] == recipe]
            if scores:
                print(f"{name} {recipe}: mean of {len(scores)}: {statistics.mean(scores):.4f}")
    if given.docs:
        write_docs(rows.values())
    return 0


if __name__ == "__main__":
    sys.exit(main())
