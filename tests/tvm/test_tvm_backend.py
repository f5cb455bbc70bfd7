"""The backend tvm: right on every kind of target, honest about tuning, the same when reopened."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from edgec.pipeline.driver import build, verify
from edgec.pipeline.errors import UnsupportedModelError, UsageError
from edgec.pipeline.load import tflite
from edgec.pipeline.report.result import Result
from edgec.pipeline.tvm import lowering
from edgec.pipeline.tvm.fusion import fuse
from edgec.pipeline.tvm.tuning import held
from tests.conftest import lack
from tests.support.formula_layers import formula_layers
from tests.support.hybrid_layers import add_hybrid
from tests.support.large_layers import large_layers
from tests.support.models import small_cnn
from tests.support.random_graphs import RandomGraph

DIGITS = Path("examples/digits")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for what tuning learns."""
    monkeypatch.setenv("EDGEC_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    model = tmp_path / "small.tflite"
    model.write_bytes(small_cnn())
    return model


def by_tvm(result: Result) -> list[str]:
    return [layer.op for layer in result.layers if "_tvm_" in layer.kernel]


def test_integers_are_exact_on_the_board(small: Path, tmp_path: Path) -> None:
    done = build(small, backend="tvm", target="cortex-m4", out=tmp_path / "out")
    result = done.result
    assert [(v.device, v.exact) for v in result.verified] == [("cortex-m4", True)]
    assert by_tvm(result) == ["CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "FULLY_CONNECTED"]
    assert result.memory.stack_bytes is not None and 0 < result.memory.stack_bytes < 2048
    assert any("4 of 4 layers" in warning and "tuned" in warning for warning in result.warnings)


@pytest.mark.parametrize("quantize", ["int8", "float32"])
def test_the_example_runs_on_the_board(quantize: str, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    model = tmp_path / "digits.onnx"
    shutil.copy(DIGITS / "digits.onnx", model)
    done = build(
        model, backend="tvm", target="cortex-m4", quantize=quantize,
        calibration=DIGITS / "calibration.npz" if quantize == "int8" else None,
        out=tmp_path / "out",
    )  # fmt: skip
    result = done.result
    assert [v.exact for v in result.verified] == [quantize == "int8"]
    assert result.memory.arena_bytes > 0
    assert result.memory.stack_bytes is not None and 0 < result.memory.stack_bytes < 2048


@pytest.mark.parametrize("target", ["rpi4", "rpi-armv7"])
def test_a_pi_answers_right(small: Path, tmp_path: Path, target: str) -> None:
    if not shutil.which("qemu-aarch64"):
        lack("sbc", "no qemu-aarch64: apt-get install qemu-user")
    done = build(small, backend="tvm", target=target, samples=20, out=tmp_path / "out")
    assert [(v.samples, v.exact) for v in done.result.verified] == [(20, True)]


def test_every_formula_computes_floats_like_the_reference(tmp_path: Path) -> None:
    model = tmp_path / "layers.tflite"
    layers = formula_layers()
    add_hybrid(np.random.default_rng(1), layers, (3, 40, 10))  # has none, and keeps its kernel
    model.write_bytes(layers.bytes())
    done = build(model, backend="tvm", target="x86", quantize="float32", out=tmp_path / "out")
    assert len(by_tvm(done.result)) == len(done.result.layers) - 1 == 13
    assert [v.samples for v in done.result.verified] == [5]


@pytest.mark.parametrize("seed", [3, 8, 11])
def test_random_integer_networks_are_exact(seed: int, tmp_path: Path) -> None:
    model = tmp_path / "graph.tflite"
    model.write_bytes(RandomGraph(seed).model.bytes())
    done = build(model, backend="tvm", target="x86", samples=10, out=tmp_path / "out")
    assert by_tvm(done.result)
    assert [v.exact for v in done.result.verified] == [True]


def test_tuning_is_kept_and_a_bundle_needs_no_tvm(
    small: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    first = build(
        small, backend="tvm", target="x86", tune_trials=4, out=tmp_path / "first",
        progress=lambda p: told.append(f"{p.stage} {p.done}/{p.total}"),
    )  # fmt: skip
    assert "tune 0/4" in told and "tune 4/4" in told
    assert not any("tuned" in warning for warning in first.result.warnings)
    assert all("TVM, tuned to" in x.chosen for x in first.result.layers if "_tvm_" in x.kernel)
    assert list(cache.rglob("database_tuning_record.json"))
    (busy,) = cache.rglob("tuning")
    with held(busy):  # as one that tunes does; who only looks something up does not wait for it
        second = build(small, backend="tvm", target="x86", out=tmp_path / "second")
    assert second.result.layers[0].chosen == first.result.layers[0].chosen
    assembly = [(tmp_path / n / "src" / "small_tvm.s").read_bytes() for n in ("first", "second")]
    assert assembly[0] == assembly[1]
    monkeypatch.setattr(lowering, "run_stage", None)
    assert [v.exact for v in verify(tmp_path / "first", samples=2)] == [True]


def test_what_cannot_be_tuned_or_compiled_is_refused(small: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="tuning measures on this machine"):
        build(small, backend="tvm", target="cortex-m4", tune_trials=4, out=tmp_path / "out")
    with pytest.raises(UnsupportedModelError, match="whole inputs, not rows"):
        build(small, backend="tvm", target="cortex-m4", input_rows=True, out=tmp_path / "out")
    with pytest.raises(UsageError, match="only the backend tvm tunes"):
        build(small, target="cortex-m4", tune_minutes=1, out=tmp_path / "out")


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_large_weights_are_panels_and_right(dtype: str, tmp_path: Path) -> None:
    model = tmp_path / "large.tflite"
    model.write_bytes(large_layers(dtype).bytes())
    graph = fuse(tflite.parse(model.read_bytes(), "large"))
    shapes = [graph[op.inputs[1]].shape for op in graph.ops]
    assert shapes == [(16, 1, 1, 512, 32), (5, 7680, 8)]
    done = build(
        model, backend="tvm", target="x86", quantize=dtype, samples=5, out=tmp_path / "out"
    )
    assert len(by_tvm(done.result)) == 2
    assert [(v.samples, v.exact) for v in done.result.verified] == [(5, dtype == "int8")]
