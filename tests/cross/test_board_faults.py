"""What goes wrong on a board is told, and never becomes a number."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from edgec.codegen.project import render_project
from edgec.pipeline.errors import BudgetError, InfrastructureError, TargetError, ToolMissingError
from edgec.targets.profile import Target, load_target
from edgec.targets.runners import qemu
from edgec.targets.session import open_device
from edgec.targets.toolchain import Image, build_image
from tests.tiny_model import MODEL, write_tiny

M4 = load_target("cortex-m4")


def build_changed(folder: Path, target: Target, old: str, new: str) -> Image:
    lib = write_tiny(folder / "lib")
    source = (lib / "tiny.c").read_text()
    assert old in source
    (lib / "tiny.c").write_text(source.replace(old, new))
    return build_image(render_project(lib, target, folder / "fw", MODEL), target)


@pytest.mark.parametrize("name", ("cortex-m0plus", "cortex-m4", "cortex-m33", "cortex-m55"))
def test_a_fault_is_reported_by_the_board(name: str, tmp_path: Path) -> None:
    target = load_target(name)
    image = build_changed(tmp_path, target, "    return 0;", "    __builtin_trap();")
    with (
        pytest.raises(InfrastructureError, match="the device stopped: hard fault"),
        open_device(image, target) as device,
    ):
        device.run(1)


@pytest.mark.parametrize("name", ("cortex-m0plus", "cortex-m4", "cortex-m33"))
def test_a_stack_that_is_too_small_is_an_error(name: str, tmp_path: Path) -> None:
    target = load_target(name)
    deep = """    volatile uint8_t deep[20000];
    for (unsigned i = sizeof deep; i > 0; --i) { deep[i - 1] = (uint8_t)i; }
    int8_t *mid = arena;"""
    image = build_changed(tmp_path, target, "    int8_t *mid = arena;", deep)
    with (
        pytest.raises(InfrastructureError, match=r"the stack (is|was) too small"),
        open_device(image, target) as device,
    ):
        device.run(1)


def test_a_model_that_fails_gives_no_count(tmp_path: Path) -> None:
    image = build_changed(tmp_path, M4, "    return 0;", "    return 3;")
    with (
        pytest.raises(InfrastructureError, match="refused RUN: the model returned an error"),
        open_device(image, M4) as device,
    ):
        device.run(1)


def test_counts_stay_exact_after_the_timer_has_wrapped(tmp_path: Path) -> None:
    image = build_changed(tmp_path, M4, "* 1000u", "* 10000000u")
    with open_device(image, M4) as device:
        counts = {}
        for turns in (1, 68):
            device.write_input(1, bytes([turns, 0, 0, 0]))
            counts[turns] = device.run(1).counts[0]
    # 2^32 ticks are 1,342 million instructions.
    assert counts[68] - counts[1] == 67 * 20_000_000


def test_an_image_too_big_for_the_board_shows_what_is_largest(tmp_path: Path) -> None:
    flash, ram = M4.memories
    small = replace(M4, memories=(replace(flash, size_bytes=2048), ram))
    with pytest.raises(BudgetError) as error:
        build_changed(tmp_path, small, "return 0;", "return 0; ")
    assert "flash is too small by" in error.value.message
    assert "tiny.o" in error.value.message


def test_a_missing_emulator_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        pytest.raises(ToolMissingError, match="qemu-system-arm is not installed") as error,
        qemu.start(tmp_path / "image.elf", M4),
    ):
        pass
    assert error.value.hint == "sudo apt install qemu-system-arm"


def test_an_emulator_that_does_not_start_says_why(tmp_path: Path) -> None:
    odd = replace(M4, runner_options={"machine": "mps2-an999"})
    with pytest.raises(InfrastructureError, match="did not start"), qemu.start(tmp_path / "x", odd):
        pass
    with pytest.raises(TargetError, match="takes machine"):
        qemu.command("x", replace(M4, runner_options={"cpu": "m4"}))
    odd = replace(M4, runner_options={"machine": "mps2-an386", "serial": "1"})
    with pytest.raises(TargetError, match="the whole numbers serial and timer_hz"):
        qemu.command("x", odd)


def test_interrupting_ends_the_emulator(tmp_path: Path) -> None:
    image = build_changed(tmp_path, M4, "return 0;", "return 0; ")
    before = _children()
    with pytest.raises(KeyboardInterrupt), open_device(image, M4):
        assert len(_children()) == len(before) + 1
        raise KeyboardInterrupt
    assert _children() == before


@pytest.mark.skipif(
    shutil.which("setpriv") is None, reason="no setpriv: apt-get install util-linux"
)
def test_killing_us_ends_the_emulator(tmp_path: Path) -> None:
    image = build_changed(tmp_path, M4, "return 0;", "return 0; ")
    script = f"""
import os, pathlib, time
from edgec.targets.profile import load_target
from edgec.targets.runners import qemu
with qemu.start(pathlib.Path({str(image.elf)!r}), load_target("cortex-m4")):
    print(pathlib.Path(f"/proc/self/task/{{os.getpid()}}/children").read_text(), flush=True)
    time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    emulator = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 10
    while _runs(emulator) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(emulator)


def _runs(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def _children() -> set[str]:
    task = Path(f"/proc/self/task/{os.getpid()}/children")
    return set(task.read_text().split())


def test_two_builds_in_two_folders_are_the_same_bytes(tmp_path: Path) -> None:
    one = build_changed(tmp_path / "one", M4, "return 0;", "return 0; ")
    two = build_changed(tmp_path / "another place", M4, "return 0;", "return 0; ")
    assert one.elf.read_bytes() == two.elf.read_bytes()
    for first, second in ((one.bin, two.bin), (one.hex, two.hex)):
        assert first is not None
        assert second is not None
        assert first.read_bytes() == second.read_bytes()


def test_the_project_builds_with_plain_make(tmp_path: Path) -> None:
    project = render_project(write_tiny(tmp_path / "lib"), M4, tmp_path / "fw", MODEL)
    done = subprocess.run(
        ["make", "-C", str(project), "all", "size"], capture_output=True, text=True, check=True
    )
    assert ".text" in done.stdout
    run = subprocess.run(
        ["make", "-n", "-C", str(project), "run"], capture_output=True, text=True, check=True
    )
    assert "qemu-system-arm -M mps2-an386" in run.stdout
    subprocess.run(["make", "-C", str(project), "clean"], capture_output=True, check=True)
    assert not (project / "build").exists()
