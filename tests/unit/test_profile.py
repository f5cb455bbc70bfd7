from __future__ import annotations

from pathlib import Path

import pytest

from edgec.pipeline.errors import TargetError
from edgec.targets import native_cpu
from edgec.targets.profile import PROFILES, load_target, parse_size, target_names
from edgec.targets.runners.base import find_runner

VALID = """
description = "a board"
cpu = "cortex-m4"
backends = ["c"]
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


def load(tmp_path: Path, text: str) -> object:
    path = tmp_path / "board.toml"
    path.write_text(text, encoding="utf-8")
    return load_target(path)


@pytest.mark.parametrize("name", target_names())
def test_every_shipped_profile_loads(name: str) -> None:
    target = load_target(name)
    assert target.name == name
    assert target.description
    assert find_runner(target.runner).command("image.elf", target)
    assert (PROFILES.parent / "links" / f"{target.link}.py").exists()


def test_the_promised_targets_are_there() -> None:
    wanted = "cortex-m0plus cortex-m3 cortex-m33 cortex-m4 cortex-m55 cortex-m7 "
    wanted += "rpi-armv7 rpi-zero2 rpi3 rpi4 rpi5 x86 x86-64-v2 x86-64-v3 x86-64-v4 "
    wanted += "x86-64-v4-vnni"
    assert target_names() == wanted.split()


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
        ('backends = ["c"]', 'backends = ["rust"]', "unknown backend 'rust'"),
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
