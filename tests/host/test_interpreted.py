"""Models that LiteRT interprets on this machine, as on a device."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from edgec.pipeline.backends import tflite
from edgec.pipeline.driver import bench, build, verify
from edgec.pipeline.errors import UnsupportedModelError, UsageError, VerificationError
from edgec.pipeline.options import BuildOptions
from edgec.pipeline.subject import Subject
from edgec.pipeline.trial import Trial, random_samples, try_image
from edgec.targets.profile import load_target
from tests.support.models import small_cnn


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "small.tflite"
    path.write_bytes(small_cnn())
    return path


@pytest.fixture(scope="module")
def bundle(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundles") / "out"
    result = build(model, target="x86", backend="tflite", out=out).result
    assert result.verified[-1].oracle == "LiteRT, XNNPACK kernels" and result.verified[-1].exact
    assert result.backend == "tflite" and result.unit == "ns" and result.total
    assert result.memory.arena_bytes is None and result.compiler == ""
    assert result.memory.model_bytes == model.stat().st_size
    assert (result.memory.peak_bytes or 0) > 10_000_000
    return out


def test_the_bundle_has_what_runs_and_no_code(bundle: Path) -> None:
    names = {path.name for path in bundle.iterdir()}
    assert {"model.tflite", "agent.pyz", "manifest.json"} <= names and "src" not in names
    assert json.loads((bundle / "manifest.json").read_text())["backend"] == "tflite"
    assert json.loads((bundle / "result.json").read_text())["build"]["backend"] == "tflite"


def test_it_is_verified_again_and_by_another_backend(bundle: Path) -> None:
    (checked,) = verify(bundle, samples=3)
    assert (checked.device, checked.samples, checked.exact) == ("x86", 3, True)
    result = bench(bundle, backend="aot", samples=1)
    assert result.verified[-1].oracle == "LiteRT, reference kernels"
    assert result.memory.binary_bytes is not None or result.memory.flash_bytes


def test_a_bench_here_is_as_careful_as_one_over_ssh(bundle: Path) -> None:
    result = bench(bundle, samples=1, threads=2)
    assert result.threads == 2
    assert result.timing is not None and result.timing.samples >= 50
    before, after = result.states
    assert before.cores and after.load is not None


def test_a_softmax_may_be_a_step_off_on_aarch64_alone(model: Path, tmp_path: Path) -> None:
    allowed = {}
    for name in ("x86", "x86-64-v3", "rpi4", "rpi5", "rpi-armv7"):
        options = BuildOptions(target=name, backend="tflite")
        subject = Subject(
            model, tmp_path / "m", "small", load_target(name), options, lambda p: None
        )
        built = tflite.build(subject, tmp_path)
        allowed[name] = str(built.allowed)
        here = built.on_host(tmp_path)
        assert here is None or here.allowed.exact
    exact, step = "byte for byte", "within 1 step"
    assert list(allowed.values()) == [exact, exact, step, step, step]


def test_other_answers_than_the_contract_s_are_refused(model: Path, tmp_path: Path) -> None:
    options = BuildOptions(target="x86", backend="tflite")
    copy = tmp_path / "model.tflite"
    subject = Subject(model, copy, "small", load_target("x86"), options, lambda p: None)
    built = tflite.build(subject, tmp_path)
    # Another bias of a layer: the file is still one, and the device has it as it is.
    copy.write_bytes(small_cnn(seed=1))
    trial = Trial(built, random_samples(built.ports, 3), lambda p: None)
    with pytest.raises(VerificationError, match="x86 differs from LiteRT, XNNPACK kernels"):
        try_image(trial, built.image(), "x86", counted=True)
    assert replace(built).allowed.exact


def test_what_interprets_nothing_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'tflite' does not build for it"):
        build(model, target="cortex-m4", backend="tflite", out=tmp_path / "out")
    with pytest.raises(UnsupportedModelError, match="takes ONNX files alone"):
        build(model, target="x86", backend="onnxruntime", out=tmp_path / "out")
    with pytest.raises(UnsupportedModelError, match="takes its input whole"):
        build(model, target="x86", backend="tflite", input_rows=True, out=tmp_path / "out")


def test_without_a_device_the_answers_are_checked_here(model: Path, tmp_path: Path) -> None:
    result = build(model, target="rpi4", backend="tflite", out=tmp_path / "out").result
    assert [v.device for v in result.verified] == ["this machine"]
    assert result.total is None and "whose Python is on the device" in result.not_run[0]
