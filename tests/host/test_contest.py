"""Backends compete: the fastest that answers right is kept, and the table tells of each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgec.pipeline import attempt
from edgec.pipeline.contest import chosen, compete
from edgec.pipeline.driver import bench, build, verify
from edgec.pipeline.errors import BudgetError, InfrastructureError, VerificationError
from edgec.pipeline.report.result import Result, Rival
from tests.support.models import small_cnn


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "small.tflite"
    path.write_bytes(small_cnn())
    return path


def test_the_fastest_is_kept_with_its_files_alone(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEC_CACHE", str(tmp_path / "cache"))
    done = build(model, target="x86", backend="auto", out=tmp_path / "out")
    timed = {r.backend: r.median for r in done.result.rivals if r.median is not None}
    remarks = {r.backend: r.remark for r in done.result.rivals}
    assert remarks["aot"] == "" and (
        "tvm" not in timed or remarks["tvm"] == "4 of 4 layers untuned"
    )
    assert {"aot", "tflite"} <= set(timed) and "onnxruntime" not in timed
    assert "takes ONNX files alone" in {r.backend: r.why for r in done.result.rivals}["onnxruntime"]
    best = min(timed, key=lambda name: timed[name] or 0)
    assert done.result.backend == done.bundle.backend == best == chosen(done.result.rivals)
    assert done.result.total == timed[best]
    assert (done.bundle.root / "agent.pyz").exists() == (best == "tflite")
    assert (done.bundle.root / "src").exists() == (best != "tflite")
    assert not (done.bundle.root / "contest").exists()
    text = json.loads((done.bundle.root / "result.json").read_text())
    assert {r["backend"] for r in text["extra"]["rivals"]} == {
        r.backend for r in done.result.rivals
    }
    assert f"{best} " in (done.bundle.root / "report.md").read_text()
    verify(done.bundle.root, samples=1)
    again = bench(done.bundle.root, samples=1, backend="auto")
    assert {r.backend for r in again.rivals} == {r.backend for r in done.result.rivals}


def test_without_a_time_the_order_decides(model: Path, tmp_path: Path) -> None:
    result = build(model, target="rpi4", backend="auto", out=tmp_path / "out").result
    assert result.backend == "aot" and {r.median for r in result.rivals} == {None}
    emitted = build(model, target="x86", backend="auto", emit_only=True, out=tmp_path / "x").result
    assert emitted.backend == "aot" and emitted.rivals == ()


def test_a_wrong_answer_loses_and_is_told(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = attempt._tried

    def sabotage(result: Result, *rest: object) -> Result:
        if result.backend == "aot":
            raise VerificationError("x86 differs from LiteRT")
        return tried(result, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(attempt, "_tried", sabotage)
    result = build(model, target="x86", backend="auto", out=tmp_path / "out").result
    assert result.backend != "aot"
    assert "aot: x86 differs from LiteRT" in result.warnings


def test_the_first_error_is_raised_if_nothing_is_left(model: Path, tmp_path: Path) -> None:
    with pytest.raises(BudgetError):
        build(model, target="x86", backend="auto", flash_bytes=1000, out=tmp_path / "out")


def test_other_errors_are_not_hidden() -> None:
    def cut(name: str) -> Result:
        raise InfrastructureError("the connection was lost")

    with pytest.raises(InfrastructureError):
        compete([("aot", ""), ("tflite", "")], cut)


def test_a_refusal_is_no_try() -> None:
    def works(name: str) -> Result:
        assert name == "b"
        return Result("m", "s", "", "x86", "", "", (), None)  # type: ignore[arg-type]

    rivals = compete([("a", "it cannot"), ("b", "")], works)
    assert rivals[0].why == "it cannot"
    assert rivals[1] == Rival("b", chosen=True)
