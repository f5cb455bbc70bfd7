"""A kernel that was made slower is found out and named; measuring again is no regression."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgec.pipeline.compile import compile_model, write_sources
from edgec.pipeline.graph import Rounding
from edgec.pipeline.report.comparison import compare
from edgec.pipeline.report.document import document
from edgec.pipeline.report.result import planned, with_measurement
from edgec.pipeline.trial import Trial, random_samples, try_image
from edgec.targets.profile import load_target
from edgec.targets.toolchain import build_image, compiler_version
from tests.support.models import small_cnn

M4 = load_target("cortex-m4")


def measure(folder: Path, slower: str = "none", turns: int = 0) -> dict[str, Any]:
    """Build and measure the model; the kernel file `slower` takes two instructions a turn more."""
    folder.mkdir()
    model = folder / "small.tflite"
    model.write_bytes(small_cnn())
    compiled = compile_model(model, "small", Rounding.TFLITE, M4)
    write_sources(compiled, M4, folder)
    for path in folder.rglob(f"{slower}.c"):
        text = path.read_text()
        body = text.index("{", text.index(f"{slower}("))
        loop = (
            f"{{ unsigned turns = {turns}u; __asm__ volatile("
            '"1:\\tsubs %0, %0, #1\\n\\tbne 1b" : "+l"(turns) : : "cc"); '
        )
        path.write_text(f"{text[:body]}{loop}{text[body:]}}}\n")
    trial = Trial(compiled, folder / "firmware", M4, random_samples(compiled, 1), lambda _: None)
    image = build_image(trial.project, M4)
    checked, bench = try_image(trial, image, M4.name, counted=True)
    assert bench is not None
    result = planned(compiled.graph, compiled.plan, "small.tflite", M4, "tflite", "balanced")
    result = replace(result, verified=(checked,), compiler=compiler_version(M4.toolchain))
    return document(with_measurement(result, compiled.graph, compiled.plan, bench))


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
    assert any(
        text.startswith(f"layer {slow['index']} DEPTHWISE_CONV_2D") for text in found.regressions
    )
    assert "100% of the change" in found.regressions[-1]
