"""Networks of single-board-computer size, in small: imported, built for a PC, verified there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgec.pipeline.driver import build
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.load.onnx import load
from tests.support.onnx_graphs import run_keras, run_onnx
from tools import sbc_keras_models
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


def example(name: str, shape: tuple[int, ...]) -> np.ndarray:
    rng = np.random.default_rng(0)
    if name == "input_ids":
        return rng.integers(0, SIZES["words"], shape)
    if name in ("attention_mask", "token_type_ids"):
        return rng.integers(0, 2, shape)
    return rng.standard_normal(shape, np.float32)


def keras_encoder(**embedding: Any) -> Any:
    return sbc_keras_models.encoder(Transformer(**SIZES | {"layers": 1}), **embedding)


def keras_mobilenet() -> Any:
    return sbc_keras_models.mobilenet_v2(32, 0.35, 10)


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


@pytest.mark.parametrize(
    ("name", "quantize", "linked", "within"),
    [
        ("mobilenet_v2", "float32", True, "1e-05"),
        ("bert", "float32", False, "1e-05"),
        ("distilbert", "dynamic-range", False, "0.02"),
    ],
)
def test_onnx_networks_build_for_a_pc_and_are_verified(
    name: str, quantize: Any, linked: bool, within: str, tmp_path: Path
) -> None:
    path = tmp_path / f"{name}.onnx"
    SMALL[name](path)
    done = build(path, backend="aot", target="x86", quantize=quantize, out=tmp_path / "out")
    checked = done.result.verified[-1]
    assert (checked.device, checked.exact) == ("x86", False)
    assert checked.samples > 1
    assert f"within {within} of the largest value" in checked.within
    kinds = {row.suffix for row in (tmp_path / "out" / "src").glob(f"{name}_weights.*")}
    assert kinds == ({".s", ".bin"} if linked else {".c"})


@pytest.mark.parametrize(
    ("make", "quantize", "exact"),
    [(keras_mobilenet, "int8", True), (keras_encoder, "dynamic-range", False)],
)
def test_keras_networks_build_for_a_pc_and_are_verified(
    make: Callable[[], Any], quantize: Any, exact: bool, tmp_path: Path
) -> None:
    model = tmp_path / "model.keras"
    make().save(model)
    done = build(model, backend="aot", target="x86", quantize=quantize, out=tmp_path / "out")
    checked = done.result.verified[-1]
    assert (checked.device, checked.exact) == ("x86", exact)


def test_samples_of_token_ids_calibrate_int8(tmp_path: Path) -> None:
    path, out = tmp_path / "distilbert.onnx", tmp_path / "out"
    SMALL["distilbert"](path)
    ids = example("input_ids", (20, 16))
    np.savez(tmp_path / "text.npz", input_ids=ids, attention_mask=np.ones_like(ids))
    done = build(path, backend="aot", target="x86", calibration=tmp_path / "text.npz", out=out)
    assert "edgec_fully_connected_int8_vector" in {layer.kernel for layer in done.result.layers}
    assert done.result.calibration == "text.npz: 20 samples"


def test_embeddings_that_mask_are_refused(tmp_path: Path) -> None:
    keras_encoder(mask_zero=True).save(tmp_path / "model.keras")
    with pytest.raises(UnsupportedModelError, match="mask_zero, which hides tokens"):
        build(tmp_path / "model.keras", target="x86", quantize="float32", out=tmp_path / "out")
