"""Programs for single-board computers: what is built, and that it answers right."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgec.codegen.project import render_project
from edgec.pipeline.driver import build
from edgec.pipeline.errors import DeviceError, TargetError
from edgec.targets.profile import load_target
from edgec.targets.runners import native
from edgec.targets.session import open_device
from edgec.targets.toolchain import build_image
from tests.support.models import small_cnn
from tests.tiny_model import MODEL, expected, write_tiny

PIS = ("rpi3", "rpi4", "rpi5", "rpi-zero2", "rpi-armv7")
PCS = ("x86-64-v2", "x86-64-v3", "x86-64-v4", "x86-64-v4-vnni")
MACHINES = {"rpi-armv7": 40} | dict.fromkeys(PCS, 62)
"""Machine numbers of ELF; 183 is aarch64."""


@pytest.mark.parametrize("name", [*PIS, *PCS])
def test_a_program_is_static_and_stripped_and_answers(name: str, tmp_path: Path) -> None:
    target = load_target(name)
    image = build_image(
        render_project(write_tiny(tmp_path / "lib"), target, tmp_path / "fw", MODEL), target
    )
    data = image.elf.read_bytes()
    assert image.binary_bytes == len(data)
    assert struct.unpack_from("<H", data, 18)[0] == MACHINES.get(name, 183)
    assert b".symtab" not in data and b"/ld-linux" not in data
    arrays = [np.arange(2000).astype(np.int8), np.array([1, 2, 3, 4], np.int8)]
    inputs, wanted = [a.tobytes() for a in arrays], expected(*arrays)[1].tobytes()
    try:
        with open_device(image, target) as device:
            for index, value in enumerate(inputs):
                device.write_input(index, value)
            device.run(1)
            assert device.read_output(0) == wanted
            assert 0 < device.measure_stack() < target.stack_bytes
            assert device.emulator == target.runner_options.get("program", "")
    except DeviceError as error:
        assert name.startswith("x86-64-v4") and "avx512" in error.message


def test_an_emulated_pi_is_verified_and_never_timed(tmp_path: Path) -> None:
    model = tmp_path / "small.tflite"
    model.write_bytes(small_cnn())
    done = build(model, target="rpi4", out=tmp_path / "out")
    result = done.result
    assert [v.device for v in result.verified] == ["host C", "rpi4 under qemu-aarch64"]
    assert result.verified[-1].exact
    assert (result.unit, result.total) == (None, None)
    assert {layer.count for layer in result.layers} == {None}
    report = (tmp_path / "out" / "report.md").read_text("utf-8")
    assert "latency | not measured: qemu-aarch64" in report
    assert not any(unit in report for unit in ("| ns ", "per MAC"))
    memory = json.loads((tmp_path / "out" / "result.json").read_text("utf-8"))["memory"]
    image = tmp_path / "out" / "firmware" / "build" / "image.elf"
    assert memory["binary_bytes"] == image.stat().st_size


@pytest.mark.parametrize(("mode", "flag"), [("size", "-Os"), ("balanced", "-O2"), ("speed", "-O3")])
def test_the_flags_of_a_mode_are_to_be_seen(mode: str, flag: str, tmp_path: Path) -> None:
    model = tmp_path / "small.tflite"
    model.write_bytes(small_cnn())
    build(model, target="rpi4", out=tmp_path / "out", emit_only=True, optimize=mode)
    assert f"EDGEC_HOT := {flag}\n" in (tmp_path / "out" / "flags.mk").read_text("utf-8")


def test_a_cpu_without_the_instructions_is_told(tmp_path: Path) -> None:
    target = replace(load_target("x86-64-v3"), needs=("sse4_2", "avx9000"))
    with (
        pytest.raises(DeviceError, match="its CPU has no avx9000, which x86-64-v3 needs"),
        native.start(tmp_path, target),
    ):
        pass
    odd = replace(target, runner_options={"speed": 3})
    with pytest.raises(TargetError, match="no options"), native.start(tmp_path, odd):
        pass
