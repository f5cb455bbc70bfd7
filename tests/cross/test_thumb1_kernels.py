"""The kernel for cores with 16-bit instructions only: random layers on the emulated M0+."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import strategies as st

from edgec.codegen import thumb1
from edgec.pipeline.graph import check
from edgec.pipeline.load import tflite
from tests.support.board import run_board
from tests.support.cases import case_modules
from tests.support.drawing import drawn_model
from tests.support.dsp_layers import extreme_samples
from tests.support.flatmodel import FlatModel
from tests.support.hostc import run_host
from tests.support.oracle import assert_all_close, run_litert


def draw_model(number: int) -> FlatModel:
    """Return 24 random convolutions, the same in every run."""

    def layers(draw: st.DrawFn) -> FlatModel:
        model = FlatModel()
        for _ in range(24):
            case_modules()["CONV_2D"].add(draw, model, "int8")
        return model

    return drawn_model(layers, number, 3)


@pytest.mark.parametrize("number", [3, 4])
def test_the_board_and_the_twin_answer_as_the_interpreter(number: int, tmp_path: Path) -> None:
    model = draw_model(number)
    content = model.bytes()
    samples = extreme_samples(model)
    want = run_litert(content, samples)
    plan, got = run_board(content, samples, "cortex-m0plus", tmp_path / "board")
    assert any(step.kernel.endswith("_thumb1") for step in plan.steps)
    (tmp_path / "host").mkdir()
    graph = check(tflite.parse(content, "layers"))
    twin = run_host(graph, samples, tmp_path / "host", features=frozenset({thumb1.FEATURE}))
    assert_all_close(got, want, where="board, ")
    assert_all_close(twin, want, where="twin, ")
