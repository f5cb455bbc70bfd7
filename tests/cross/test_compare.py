"""A kernel that was made slower is found out and named; measuring again is no regression."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgec.pipeline.report.comparison import compare
from edgec.pipeline.report.document import document
from edgec.pipeline.trial import try_image
from edgec.targets.toolchain import compiler_version
from tests.support.hil_pack import built_small


def measure(folder: Path, slower: str = "none", turns: int = 0) -> dict[str, Any]:
    """Build and measure the model; the kernel file `slower` takes two instructions a turn more."""
    trial = built_small(folder, slower, turns)
    built = trial.built
    checked, bench = try_image(trial, built.image(), built.target.name, counted=True)
    assert bench is not None
    compiler = compiler_version(built.target.toolchain)
    result = replace(built.planned(), verified=(checked,), compiler=compiler)
    return document(built.measured(result, bench))


def test_two_percent_in_one_layer_are_blamed_on_it(tmp_path: Path) -> None:
    before = measure(tmp_path / "a")
    again = compare(before, measure(tmp_path / "b"))
    assert again.exact and again.regressions == ()
    assert not any(layer.rise for layer in again.layers)

    (slow,) = [layer for layer in before["layers"] if layer["op"] == "DEPTHWISE_CONV_2D"]
    turns = round(0.02 * slow["count"] / 2)
    found = compare(before, measure(tmp_path / "c", slow["kernel"], turns))
    risen = [layer for layer in found.layers if layer.rise]
    assert [layer.op for layer in risen] == ["DEPTHWISE_CONV_2D"]
    assert risen[0].rise / slow["count"] == pytest.approx(0.02, rel=0.1)
    assert found.regressions[-1].startswith(f"layer {slow['index']} DEPTHWISE_CONV_2D")
    assert "100% of the change" in found.regressions[-1]
