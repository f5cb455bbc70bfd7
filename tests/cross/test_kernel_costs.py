"""The tables of kernels say what the compiler makes of them, and costs what they take."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgec.pipeline.driver import build
from tests.support.modules import ROOT


@pytest.mark.parametrize("target", ["cortex-m0plus", "cortex-m4"])
def test_code_is_as_large_as_the_table_says(target: str) -> None:
    tool = ROOT / "tools" / "measure_kernels.py"
    options = ["--check", "--target", target, "--kernel", "edgec_fully_connected_int8"]
    done = subprocess.run(
        [sys.executable, str(tool), *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("target", ["cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m55"])
def test_layers_take_what_was_predicted(
    target: str, benchmark_models: Path, tmp_path: Path
) -> None:
    model = benchmark_models / "kws_dscnn_int8.tflite"
    result = build(model, target=target, samples=1, out=tmp_path / "out").result
    known = [layer for layer in result.layers if layer.predicted is not None]
    assert all(layer.chosen for layer in result.layers if layer.kernel != "view")
    for layer in known:
        assert layer.count == pytest.approx(layer.predicted, rel=0.2), layer
    predicted = sum(layer.predicted for layer in known)
    assert result.total == pytest.approx(predicted, rel=0.05)
