"""What boot loaders check before they start a firmware: boot2, IMAGE_DEF, UF2, an offset."""

from __future__ import annotations

import binascii
import importlib.util
import struct
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from edgec.codegen.project import TEMPLATES, render_project
from edgec.targets.profile import load_target
from edgec.targets.toolchain import Image, build_image
from tests.support.firmware_image import FirmwareImage
from tests.support.modules import ROOT
from tests.tiny_model import MODEL, write_tiny

BOOT2_TOOL = ROOT / "tools" / "gen_boot2.py"

FAMILIES = {"pico": 0xE48BFF56, "pico2": 0xE48BFF59}


def module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Image]:
    found = {}
    for name in (*FAMILIES, "nano33ble"):
        folder = tmp_path_factory.mktemp(name)
        target = load_target(name)
        project = render_project(write_tiny(folder / "lib"), target, folder / "fw", MODEL)
        found[name] = build_image(project, target)
    return found


def mpeg2_crc(data: bytes) -> int:
    """Return the CRC that RP2040's boot ROM computes, by zlib's, which takes bits in reverse."""

    def reverse(value: int, bits: int) -> int:
        return int(f"{value:0{bits}b}"[::-1], 2)

    mirrored = bytes(reverse(byte, 8) for byte in data)
    return reverse(binascii.crc32(mirrored) ^ 0xFFFFFFFF, 32)


def test_the_boot_rom_of_rp2040_accepts_the_second_stage(images: dict[str, Image]) -> None:
    image = FirmwareImage(images["pico"].elf)
    assert mpeg2_crc(b"123456789") == 0x0376E6E7  # the check value of CRC-32/MPEG-2
    assert image.symbols["boot2"] == 0x10000000
    stage = image.flash(0x10000000, 256)
    assert mpeg2_crc(stage[:252]) == int.from_bytes(stage[252:], "little")
    # It goes on where the vector table is.
    assert image.symbols["edgec_vectors"] == 0x10000100
    assert struct.pack("<I", 0x10000100) in stage


def test_the_second_stage_is_that_of_its_source() -> None:
    done = subprocess.run([sys.executable, BOOT2_TOOL, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_second_stage_that_is_too_long_is_refused() -> None:
    with pytest.raises(SystemExit, match="takes 253 bytes, there are 252"):
        module(BOOT2_TOOL).table(bytes(253))


def test_the_boot_rom_of_rp2350_finds_one_block_and_ends_where_it_began(
    images: dict[str, Image],
) -> None:
    image = FirmwareImage(images["pico2"].elf)
    start = image.symbols["image_def"]
    assert 0x10000000 <= start <= 0x10001000 - 20
    begin, item, last, link, end = image.words(start, 5)
    assert (begin, end) == (0xFFFFDED3, 0xAB123579)
    kind, words, flags = item & 0xFF, item >> 8 & 0xFF, item >> 16
    assert (kind, words) == (0x42, 1)
    assert flags & 0xF == 1  # an executable
    assert flags >> 4 & 3 == 2  # in secure state
    assert flags >> 8 & 7 == 0  # for the Arm cores
    assert flags >> 12 & 7 == 1  # of an RP2350
    assert (last & 0xFF, last >> 8 & 0xFFFF) == (0xFF, words)
    assert link == 0
    (_, content), *_ = image.segments
    assert content[:0x1000].count(struct.pack("<I", begin)) == 1
    # Without an item that says otherwise, the vector table is where the image begins.
    assert image.symbols["edgec_vectors"] == 0x10000000


@pytest.mark.parametrize("name", FAMILIES)
def test_a_uf2_file_puts_the_image_back_together(name: str, images: dict[str, Image]) -> None:
    content = images[name].elf.with_suffix(".uf2").read_bytes()
    assert len(content) % 512 == 0
    count = len(content) // 512
    flash = bytearray()
    for number in range(count):
        block = content[512 * number : 512 * number + 512]
        magic, magic2, flags, address, size, index, total, family = struct.unpack_from("<8I", block)
        assert (magic, magic2) == (0x0A324655, 0x9E5D5157)
        assert block[508:] == struct.pack("<I", 0x0AB16F30)
        assert (flags, family, size) == (0x2000, FAMILIES[name], 256)
        assert (index, total) == (number, count)
        assert address == 0x10000000 + len(flash)
        flash += block[32 : 32 + size]
    binary = images[name].bin
    assert binary is not None
    linked = binary.read_bytes()
    assert bytes(flash) == linked.ljust(len(flash), b"\0")
    assert len(flash) - len(linked) < 256


def test_an_empty_image_makes_no_block() -> None:
    uf2 = module(TEMPLATES / "uf2" / "edgec_uf2.py")
    assert uf2.blocks(b"", 0x10000000, 1) == b""
    assert len(uf2.blocks(bytes(257), 0x10000000, 1)) == 1024


def test_the_nano_starts_above_its_boot_loader(images: dict[str, Image]) -> None:
    image = FirmwareImage(images["nano33ble"].elf)
    assert image.symbols["edgec_vectors"] == 0x10000
    assert min(address for address, _ in image.segments) == 0x10000
