"""Whole builds for boards: what is verified where, and what does not fit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ai_edge_litert import schema_py_generated as schema

from edgec.pipeline.driver import build
from edgec.pipeline.errors import BudgetError
from tests.support.flatmodel import FlatModel
from tests.support.models import small_cnn


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "small.tflite"
    path.write_bytes(small_cnn())
    return path


def test_a_build_for_a_board_checks_the_c_on_the_host_and_flashes_nothing(
    model: Path, tmp_path: Path
) -> None:
    result = build(model, target="nucleo-h743zi2", out=tmp_path / "out").result
    assert [place.device for place in result.verified] == ["host C"]
    assert result.not_run == (
        "the board itself, which a build does not flash: edgec flash, edgec bench",
    )
    assert result.total is None
    assert result.memory.flash_bytes is not None
    assert (tmp_path / "out" / "firmware" / "build" / "image.bin").stat().st_size > 0


def test_a_build_for_esp_idf_is_a_project_that_was_not_compiled(
    model: Path, tmp_path: Path
) -> None:
    result = build(model, target="esp32-c3", out=tmp_path / "out").result
    assert [place.device for place in result.verified] == ["host C"]
    compiling, board = result.not_run
    assert compiling.startswith("compiling, and whether it fits: idf.py build")
    assert "the board itself" in board
    assert result.memory.flash_bytes is None
    assert result.compiler == ""
    facts = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    assert facts["validity"]["ok"] is False


def test_an_emulated_boards_build_is_verified_over_its_uart(model: Path, tmp_path: Path) -> None:
    result = build(model, target="microbit", out=tmp_path / "out").result
    assert [place.device for place in result.verified] == ["host C", "microbit"]
    assert result.unit == "instructions"
    assert result.not_run == ()


def test_what_a_board_is_too_small_for_is_refused_with_what_takes_the_room(
    tmp_path: Path,
) -> None:
    large = FlatModel()
    x = large.input((1, 130, 130, 1), "int8", 0.02, -1)
    y = large.output((1, 65, 65, 1), "int8", 0.02, -1)
    pool = schema.Pool2DOptionsT()
    pool.padding = 1
    pool.strideH = pool.strideW = pool.filterHeight = pool.filterWidth = 2
    large.op("AVERAGE_POOL_2D", [x], [y], pool)
    path = tmp_path / "large.tflite"
    path.write_bytes(large.bytes())
    with pytest.raises(BudgetError, match="the image does not fit microbit: ram is too") as error:
        build(path, target="microbit", out=tmp_path / "out")
    assert error.value.exit_code == 6
    assert "arena" in error.value.message
    assert not (tmp_path / "out").exists()
