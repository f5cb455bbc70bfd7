"""Networks of single-board-computer size, in small: imported, built for a PC, verified there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgec.pipeline.driver import build
from edgec.pipeline.load.onnx import load
from tests.support.onnx_graphs import run_keras, run_onnx
from tools.sbc_models import Transformer, bert, distilbert, mobilenet_v2, resnet50

SIZES = {
    "layers": 2, "width": 64, "heads": 4, "inner": 128, "words": 500, "positions": 64, "length": 16,
}  # fmt: skip
SMALL: dict[str, Callable[[Path], None]] = {
    "mobilenet_v2": lambda path: mobilenet_v2(path, 32, 0.35, 10),
    "resnet50": lambda path: resnet50(path, 32, 8, 10),
    "bert": lambda path: bert(path, Transformer(**SIZES)),
    "distilbert": lambda path: distilbert(
        path, Transformer(**SIZES, types=0, pooled=False, fused=True)
    ),
}
LINKED = ("mobilenet_v2", "resnet50")
"""Those with so many weights that these are linked as a file."""


def example(name: str, shape: tuple[int, ...]) -> np.ndarray:
    rng = np.random.default_rng(0)
    if name == "input_ids":
        return rng.integers(0, SIZES["words"], shape)
    if name in ("attention_mask", "token_type_ids"):
        return rng.integers(0, 2, shape)
    return rng.standard_normal(shape, np.float32)


@pytest.mark.parametrize("name", SMALL)
def test_the_import_equals_onnxruntime(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.onnx"
    SMALL[name](path)
    model = load(path)
    arrays = [example(port.name, port.shape) for port in model.inputs]
    got, wanted = run_keras(model, arrays), run_onnx(path.read_bytes(), arrays)
    assert len(got) == len(wanted) > 0
    for have, want in zip(got, wanted, strict=True):
        np.testing.assert_allclose(have, want, rtol=0, atol=2e-5 * np.abs(want).max())


@pytest.mark.parametrize("name", SMALL)
def test_float32_networks_build_for_a_pc_and_are_verified(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.onnx"
    SMALL[name](path)
    done = build(path, target="x86", quantize="float32", out=tmp_path / "out")
    checked = done.result.verified[-1]
    assert checked.device == "x86"
    assert checked.samples > 1
    assert not checked.exact
    kinds = {row.suffix for row in (tmp_path / "out" / "src").glob(f"{name}_weights.*")}
    assert kinds == ({".s", ".bin"} if name in LINKED else {".c"})
