"""What `make bench-x86` says of its rows: ratios of rounds, the bars, the table in the docs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgec.pipeline.errors import BuildError
from tools import bench_x86
from tools.bench_x86 import Case, Entry, rows_of
from tools.bench_x86_table import BEGIN, END, cells, summary, write_docs


class Built:
    """What a backend built, with nothing to remark on."""

    remark = ""

    def planned(self) -> Built:
        return self


def row(model: str, backend: str, dtype: str, **facts: Any) -> dict[str, Any]:
    times = {"median_us": 100.0, "p95_us": 120.0, "samples": 30, "ok": True}
    return {"model": model, "backend": backend, "dtype": dtype, "threads": 1, **times, **facts}


ROWS = [
    row("ic", "aot", "int8", ratio=0.9, ratio_low=0.8, ratio_high=1.0),
    row("ad", "aot", "int8", ratio=0.4, ratio_low=0.4, ratio_high=0.4),
    row("mobilenet_v2", "aot", "int8", ratio=9.0, ratio_low=9.0, ratio_high=9.0),
    row("ic", "tvm", "float32", of_onnxruntime=0.87, remark="all 11 layers tuned"),
    row("vww", "tvm", "float32", of_onnxruntime=1.2, remark="all 29 layers tuned"),
    row("mobilenet_v2", "tvm", "float32", of_onnxruntime=0.9, remark="2 of 53 layers untuned"),
]


def test_ratios_are_of_rounds_in_which_both_took_their_turn(tmp_path: Path) -> None:
    def entry(backend: str, threads: int, *rounds: int) -> Entry:
        counts = [(1000 * n, 1000 * n) for n in rounds]
        built: Any = Built()
        nothing: Any = None
        return Entry(backend, threads, nothing, built, [], counts=counts)

    running = [
        entry("aot", 1, 10, 20, 30),
        entry("tflite", 1, 20, 40, 60),
        entry("onnxruntime", 1, 5, 5, 30),
        entry("onnxruntime", 2, 1, 1, 1),
    ]
    aot, tflite, peer, alone = rows_of(Case("ic", "int8", tmp_path), running)
    assert (aot["median_us"], aot["samples"], aot["ok"]) == (20.0, 6, True)
    assert (aot["ratio"], aot["ratio_low"], aot["ratio_high"]) == (0.5, 0.5, 0.5)
    assert (aot["of_onnxruntime"], tflite["of_onnxruntime"]) == (2.0, 4.0)
    assert "ratio" not in tflite and "of_onnxruntime" not in peer
    assert "ratio" not in alone


def test_the_bars_are_read_off_the_rows() -> None:
    int8, tvm = summary(ROWS)
    assert int8.endswith("2 of 4 benchmark models: geometric mean 0.60, at most 0.90 (ic)")
    assert "ResNet8 0.87, MobileNetV1-0.25 1.20, MobileNetV2 0.90 (untuned)" in tvm
    assert tvm.endswith("tuned and at most 1.1 on 1 of 3")
    assert all("not measured" in line for line in summary([]))


def test_what_failed_is_shown_with_its_reason_in_place_of_times() -> None:
    wrong = row("ic", "tflite", "int8", ok=False, why="it differs from all", median_us=None)
    assert cells(wrong)[4:] == ("it differs from all", "", "", "", "")
    assert cells(ROWS[3])[3] == "tvm (all 11 layers tuned)"
    assert cells(row("ic", "onnxruntime", "int8", ratio=2.0, ratio_low=2, ratio_high=2))[8] == "1"


def test_the_docs_get_the_table_and_keep_the_rest(tmp_path: Path) -> None:
    docs = tmp_path / "performance.md"
    docs.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_docs(ROWS, "On one machine: a CPU.", docs)
    text = docs.read_text()
    assert text.startswith("before\n") and text.endswith(f"{END}\nafter\n") and "old" not in text
    assert text.count("\n| ") == len(ROWS) + 2
    assert text.count("\n- ") == 2


def test_a_peer_that_cannot_be_made_is_a_row_that_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(backend: str, *rest: Any) -> Entry:
        built: Any = Built()
        nothing: Any = None
        return Entry(backend, 1, nothing, built, [], counts=[])

    monkeypatch.setattr(bench_x86, "WORK", tmp_path)
    monkeypatch.setattr(bench_x86, "opened", none)
    ready = bench_x86.Ready(tmp_path / "m.tflite", None, "tf2onnx cannot convert m.tflite: GELU")
    monkeypatch.setattr(bench_x86, "prepared", lambda case: ready)
    plan = bench_x86.Plan("x86", [1], bench_x86.Tuning())
    found = bench_x86.entries(Case("m", "int8", tmp_path), plan, bench_x86.ExitStack())
    last = list(found)[-1]
    assert isinstance(last, dict)
    assert (last["backend"], last["ok"], last["refused"]) == ("onnxruntime", False, True)
    assert last["why"] == "tf2onnx cannot convert m.tflite: GELU"


def test_what_does_not_build_is_a_failure_and_leaves_nothing_to_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(backend: str, subject: Any, folder: Path, *rest: Any) -> Entry:
        assert not list(folder.iterdir())
        (folder / "old.c").touch()
        raise BuildError("make failed\nwith many words")

    monkeypatch.setattr(bench_x86, "WORK", tmp_path)
    monkeypatch.setattr(bench_x86, "opened", broken)
    ready = bench_x86.Ready(tmp_path / "m.tflite", tmp_path / "m.onnx")
    monkeypatch.setattr(bench_x86, "prepared", lambda case: ready)
    plan = bench_x86.Plan("x86", [1, 2], bench_x86.Tuning())
    case = Case("m", "int8", tmp_path)
    for _ in range(2):
        rows = list(bench_x86.entries(case, plan, bench_x86.ExitStack()))
        assert [row["why"] for row in rows if isinstance(row, dict)] == ["make failed"] * 6
    assert not bench_x86.prepare(case, plan)
