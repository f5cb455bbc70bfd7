"""The benchmark models on the simulated boards: exact, and smaller than TFLM + CMSIS-NN."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgec.pipeline.compile import compile_model, write_sources
from edgec.pipeline.driver import build
from edgec.pipeline.graph import Rounding
from edgec.pipeline.oracle import random_sample
from edgec.pipeline.verify import run_sample
from edgec.targets.profile import load_target
from edgec.targets.session import open_device
from edgec.targets.toolchain import build_image

FILES = {
    "ic": "ic_resnet8_int8.tflite",
    "kws": "kws_dscnn_int8.tflite",
    "vww": "vww_mobilenetv1_int8.tflite",
    "ad": "ad_fc_autoencoder_int8.tflite",
}
# instructions (best of -O2 and -O3), flash (-Os) and RAM of TFLM + CMSIS-NN on the same emulator
PEER = {
    "ic": (29_864_120, 142_276, 56_502),
    "kws": (7_697_869, 100_584, 24_324),
    "vww": (24_101_937, 379_936, 102_212),
    "ad": (582_353, 300_336, 3_996),
}
OTHERS = ("cortex-m0plus", "cortex-m3", "cortex-m7", "cortex-m33", "cortex-m55")


def peers(folder: Path) -> dict:
    path = folder.parent.parent / "peers" / "cortex-m.json"
    if not path.is_file():
        pytest.skip(f"no recorded hashes of TFLite Micro in {path}")
    return json.loads(path.read_text())


def fnv1a(data: bytes) -> str:
    value = 0x811C9DC5
    for byte in data:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return f"{value:08x}"


@pytest.mark.parametrize("key", FILES)
def test_m4_is_exact_on_twenty_inputs_and_smaller_than_the_peer(
    key: str, benchmark_models: Path, tmp_path: Path
) -> None:
    done = build(
        benchmark_models / FILES[key], target="cortex-m4", samples=20, out=tmp_path / "out"
    )
    result, memory = done.result, done.result.memory
    assert [(v.device, v.samples, v.exact) for v in result.verified] == [
        ("host C", 20, True),
        ("cortex-m4", 20, True),
    ]
    instructions, flash, ram = PEER[key]
    assert memory.flash_bytes < flash
    assert memory.ram_bytes < ram
    assert result.total <= 2.5 * instructions
    assert memory.arena_bytes <= memory.arena_bound_bytes
    assert sum(layer.count for layer in result.layers) == pytest.approx(result.total, rel=0.03)


@pytest.mark.parametrize("target", OTHERS)
def test_other_cores_are_exact(target: str, benchmark_models: Path, tmp_path: Path) -> None:
    done = build(benchmark_models / FILES["kws"], target=target, samples=2, out=tmp_path / "out")
    assert [v.exact for v in done.result.verified] == [True, True]


@pytest.mark.parametrize("key", FILES)
def test_tflm_rounding_gives_the_recorded_bytes_of_tflite_micro(
    key: str, benchmark_models: Path, tmp_path: Path
) -> None:
    recorded = peers(benchmark_models)
    target = load_target("cortex-m4")
    compiled = compile_model(
        benchmark_models / FILES[key], key, Rounding.TFLM, target, shrink=False
    )
    write_sources(compiled, target, tmp_path)
    image = build_image(tmp_path / "firmware", target, profile=True)
    wanted = {o["seed"]: o["fnv1a32"] for o in recorded["outputs"] if o["model"] == key}
    with open_device(image, target) as device:
        for seed in (5, 4, 3, 2, 1):
            outputs = run_sample(device, compiled.graph, random_sample(compiled.graph, seed))
            assert fnv1a(outputs[0].tobytes()) == wanted[seed], f"seed {seed}"
        got = [f"{layer.fnv1a:08x}" for layer in device.layers()]
    assert got == [row["fnv1a32"] for row in recorded["per_op"][key]]
