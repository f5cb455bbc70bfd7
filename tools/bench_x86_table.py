"""What `bench_x86.py` measured, as people read it: the table, and how the bars are met."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from rich.table import Table

Row = dict[str, Any]

BASE, PEER = "tflite", "onnxruntime"
BENCHMARK = ("ic", "kws", "vww", "ad")
CONVOLUTIONAL = {"ic": "ResNet8", "vww": "MobileNetV1-0.25", "mobilenet_v2": "MobileNetV2"}
TVM_BAR = 1.1
BEGIN, END = "<!-- bench-x86: begin -->", "<!-- bench-x86: end -->"
HEAD = (
    "model", "numbers", "threads", "backend", "median µs", "p95 µs", "of LiteRT", "quartiles",
    "of onnxruntime",
)  # fmt: skip
ALIGN = "| --- | --- | ---: | --- | ---: | ---: | ---: | --- | ---: |"


def cells(row: Row) -> tuple[str, ...]:
    """Return a row of the table as text."""
    ratio = f"{row['ratio']:.2f}" if "ratio" in row else ""
    quartiles = f"{row['ratio_low']:.2f} to {row['ratio_high']:.2f}" if "ratio" in row else ""
    peer = f"{row['of_onnxruntime']:.2f}" if "of_onnxruntime" in row else ""
    if row["ok"]:
        ratio = "1" if row["backend"] == BASE else ratio
        peer = "1" if row["backend"] == PEER else peer
    median = f"{row['median_us']:,.1f}" if row["ok"] else row["why"]
    p95 = f"{row['p95_us']:,.1f}" if row["ok"] else ""
    remark = row.get("remark", "")
    backend = f"{row['backend']} ({remark})" if remark else row["backend"]
    threads = str(row["threads"])
    return row["model"], row["dtype"], threads, backend, median, p95, ratio, quartiles, peer


def summary(rows: list[Row]) -> list[str]:
    """Say how the bars are met, from the rows alone."""
    return [_int8(rows), _tvm(rows)]


def _int8(rows: list[Row]) -> str:
    """Say how `aot` stands against LiteRT on the int8 benchmark models, with one thread."""
    ratios = {
        row["model"]: row["ratio"] for row in rows
        if row["backend"] == "aot" and row["dtype"] == "int8" and row["threads"] == 1
        and row["model"] in BENCHMARK and "ratio" in row
    }  # fmt: skip
    if not ratios:
        return "aot was not measured on the int8 benchmark models"
    worst = max(ratios, key=lambda name: ratios[name])
    return (
        f"aot int8 against LiteRT int8, one thread, {len(ratios)} of {len(BENCHMARK)} benchmark "
        f"models: geometric mean {statistics.geometric_mean(ratios.values()):.2f}, at most "
        f"{ratios[worst]:.2f} ({worst})"
    )


def _tvm(rows: list[Row]) -> str:
    """Say how `tvm` stands against onnxruntime on convolutional float32 models, one thread."""
    found = {
        row["model"]: row for row in rows
        if row["backend"] == "tvm" and row["dtype"] == "float32" and row["threads"] == 1
        and row["model"] in CONVOLUTIONAL and "of_onnxruntime" in row
    }  # fmt: skip
    if not found:
        return "tvm was not measured beside onnxruntime on the convolutional models"
    tuned = {name for name, row in found.items() if "untuned" not in row.get("remark", "")}
    within = sum(found[name]["of_onnxruntime"] <= TVM_BAR for name in tuned)
    shown = ", ".join(
        f"{CONVOLUTIONAL[name]} {row['of_onnxruntime']:.2f}{'' if name in tuned else ' (untuned)'}"
        for name, row in found.items()
    )
    return (
        f"tvm float32 against onnxruntime float32, one thread: {shown}; tuned and at most "
        f"{TVM_BAR} on {within} of {len(CONVOLUTIONAL)}"
    )


def shown(rows: list[Row]) -> Table:
    """Return the rows as a table for terminals."""
    table = Table(*HEAD)
    for row in rows:
        table.add_row(*cells(row))
    return table


def write_docs(rows: list[Row], where: str, docs: Path) -> None:
    """Replace the table in the documentation."""
    lines = [where, "", "| " + " | ".join(HEAD) + " |", ALIGN]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in rows]
    lines += ["", *(f"- {line}." for line in summary(rows))]
    head, _, rest = docs.read_text(encoding="utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    body = "\n".join(lines)
    docs.write_text(f"{head}{BEGIN}\n{body}\n{END}{tail}", encoding="utf-8")
