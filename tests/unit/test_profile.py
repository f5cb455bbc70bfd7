from __future__ import annotations

from pathlib import Path

import pytest

from edgec.pipeline.errors import TargetError
from edgec.targets import native_cpu
from edgec.targets.profile import PROFILES, Target, board_names, load_target, target_names
from edgec.targets.profile_table import parse_size
from edgec.targets.runners.base import find_runner

VALID = """
description = "a board"
cpu = "cortex-m4"
backends = ["aot"]
template = "mps2"
runner = "qemu"
link = "serial"
[[memory]]
name = "FLASH"
kind = "flash"
origin = 0
size = "1M"
[[memory]]
name = "RAM"
kind = "ram"
origin = 0x20000000
size = "64K"
[toolchain]
prefix = "arm-none-eabi-"
cold = ["-Os"]
hot = ["-O2"]
"""


def load(tmp_path: Path, text: str) -> Target:
    path = tmp_path / "board.toml"
    path.write_text(text, encoding="utf-8")
    return load_target(path)


@pytest.mark.parametrize("name", target_names())
def test_every_shipped_profile_loads(name: str) -> None:
    target = load_target(name)
    assert target.name == name
    assert target.description
    assert find_runner(target.runner).command("image.elf", target) or target.runner == "board"
    assert (PROFILES.parent / "links" / f"{target.link}.py").exists()


def test_the_promised_targets_are_there() -> None:
    wanted = "cortex-m0 cortex-m0plus cortex-m23 cortex-m3 cortex-m33 cortex-m4 cortex-m55 "
    wanted += "cortex-m7 cortex-m85 "
    wanted += "rpi-armv7 rpi-zero2 rpi3 rpi4 rpi5 x86 x86-64-v2 x86-64-v3 x86-64-v4 "
    wanted += "x86-64-v4-vnni"
    assert [n for n in target_names() if n not in board_names()] == wanted.split()


def test_the_promised_boards_are_there() -> None:
    wanted = "esp32-c3 esp32-s3 lm3s6965evb microbit nano33ble netduinoplus2 nrf52840-dk "
    wanted += "nucleo-f446re nucleo-f746zg nucleo-h743zi2 nucleo-l4r5zi nucleo-u575zi-q "
    wanted += "pico pico2 stm32f4discovery"
    assert board_names() == wanted.split()


def test_a_board_takes_the_core_from_a_profile_and_nothing_of_its_machine(tmp_path: Path) -> None:
    board = load_target("nucleo-f446re")
    core = load_target("cortex-m4")
    assert (board.cpu, board.features, board.toolchain) == (core.cpu, core.features, core.toolchain)
    assert board.defines == ("EDGEC_BOARD_NUCLEO_F446RE",)
    assert board.memory_bytes("ram") == 128 * 1024
    for key in ("template", "runner"):
        text = (PROFILES / "nucleo-f446re.toml").read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if not line.startswith(f"{key} =")]
        with pytest.raises(TargetError, match=f"key '{key}' is missing"):
            load(tmp_path, "\n".join(lines))


def test_a_board_may_extend_a_core_that_extends_one(tmp_path: Path) -> None:
    text = (PROFILES / "nucleo-f446re.toml").read_text(encoding="utf-8")
    board = load(tmp_path, text.replace('extends = "cortex-m4"', 'extends = "cortex-m7"'))
    assert board.cpu == "cortex-m7"
    assert board.toolchain.prefix == "arm-none-eabi-"
    with pytest.raises(TargetError, match="extends another profile itself"):
        load(tmp_path, text.replace('extends = "cortex-m4"', 'extends = "stm32f4discovery"'))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"0483:374b"', '"0483:374B"', "'0483:374B' is not VID:PID in lower-case hex"),
        ('timer = "dwt"', 'timer = "rtc"', "unknown timer 'rtc', known: dwt, systick"),
        ('timer = "dwt"', 'timer = "dwt"\nbaud = 300', "a baud of 300"),
        ('timer = "dwt"', 'timer = "dwt"\nspeed = 1', "board: unknown key 'speed'"),
        ("clock_hz = 180_000_000", "", "a board has a clock_hz"),
        ("[flash.jlink]", "[flash.j-link]", "'j-link' is not a runner"),
        ('device = "STM32F446RE"', "device = [1]", "flash.jlink: device is neither a string"),
    ],
)
def test_a_malformed_board_says_what_is_wrong(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    text = (PROFILES / "nucleo-f446re.toml").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(TargetError, match=message):
        load(tmp_path, text.replace(old, new))


def test_a_board_without_a_tool_that_flashes_it_is_refused(tmp_path: Path) -> None:
    text = (PROFILES / "nucleo-f446re.toml").read_text(encoding="utf-8").split("[flash.")[0]
    with pytest.raises(TargetError, match="table for each tool that flashes it"):
        load(tmp_path, text)
    with pytest.raises(TargetError, match="without \\[board\\]"):
        load(tmp_path, VALID + "[flash.pyocd]\n")


def test_a_profile_extends_another_key_by_key() -> None:
    m4, m7 = load_target("cortex-m4"), load_target("cortex-m7")
    assert m7.memories == m4.memories
    assert m7.toolchain.ldflags == m4.toolchain.ldflags
    assert m7.toolchain.cflags != m4.toolchain.cflags


CPUINFO = """processor : 0
flags\t\t: fpu sse4_2 avx avx2 fma avx512f avx512bw avx512cd avx512dq avx512vl avx512_vnni

processor : 1
flags\t\t: fpu
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (CPUINFO, {"avx2", "avx512", "vnni"}),
        (CPUINFO.replace("avx512vl", ""), {"avx2"}),
        ("flags : fpu avx avx2 fma avx_vnni", {"avx2", "vnni"}),
        ("flags : fpu avx", set()),
        ("Features\t: fp asimd asimddp", {"neon", "dotprod"}),
        ("Features\t: half vfp neon", {"neon"}),
        (None, set()),
    ],
)
def test_this_machine_has_the_features_of_its_cpu(
    text: str | None, found: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cpuinfo"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    monkeypatch.setattr(native_cpu, "CPUINFO", file)
    here, level = load_target("x86"), load_target("x86-64-v4")
    assert here.features == {"fpu", *found}
    assert here.native and "-march=native" in here.toolchain.cflags
    assert level.features == {"fpu", "avx2", "avx512"}
    assert not level.native and "-march=native" not in level.toolchain.cflags


def test_an_unknown_target_is_refused_with_a_suggestion() -> None:
    with pytest.raises(TargetError) as error:
        load_target("cortex-m44")
    assert "did you mean 'cortex-m4" in error.value.hint


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('cpu = "cortex-m4"', 'cpux = "cortex-m4"', "key 'cpu' is missing"),
        ('cpu = "cortex-m4"', 'cpu = "a"\nflags = 1', "unknown key 'flags'"),
        ('hot = ["-O2"]', 'hot = ["-O2"]\nwarm = []', "toolchain: unknown key 'warm'"),
        ('hot = ["-O2"]', "hot = [2]", "hot is not a list of strings"),
        ('hot = ["-O2"]', 'hot = "-O2"', "hot is str, list wanted"),
        ('cpu = "cortex-m4"', "cpu = 4", "cpu is int, str wanted"),
        ('backends = ["aot"]', 'backends = ["rust"]', "unknown backend 'rust'"),
        ('cpu = "cortex-m4"', 'cpu = "a"\nfeatures = ["sve"]', "unknown feature 'sve'"),
        ('kind = "ram"', 'kind = "rom"', "'RAM' is neither flash nor ram"),
        ("origin = 0x20000000", "origin = 0x1000", "'FLASH' and 'RAM' overlap"),
        ('size = "64K"', 'size = "64Q"', "'64Q' is not a size"),
        ('size = "64K"', 'size = "8K"', "the stack takes all the ram"),
        ("[toolchain]", '[budget]\nram = "65K"\n[toolchain]', "the ram budget is 66560 bytes"),
        ("[toolchain]", "[toolchain", "not a TOML file"),
        ("[toolchain]", "[runner_options]\nx = [1]\n[toolchain]", "x is neither a string nor"),
        ('cpu = "cortex-m4"', 'cpu = "a"\nextends = "none"', "extends unknown target 'none'"),
        ('cpu = "cortex-m4"', 'cpu = "a"\nextends = "cortex-m7"', "extends another profile itself"),
    ],
)
def test_a_malformed_profile_says_what_is_wrong(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    with pytest.raises(TargetError, match=message):
        load(tmp_path, VALID.replace(old, new))


def test_a_missing_profile_file_is_a_target_error(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="cannot read target profile"):
        load_target(tmp_path / "none.toml")


def test_a_valid_profile_of_ones_own_loads(tmp_path: Path) -> None:
    load(tmp_path, VALID)


@pytest.mark.parametrize(
    ("text", "size"), [("64K", 65536), ("1M", 2**20), (77, 77), ("512", 512), ("64KiB", 65536)]
)
def test_sizes_are_read(text: str | int, size: int) -> None:
    assert parse_size(text, "here") == size
