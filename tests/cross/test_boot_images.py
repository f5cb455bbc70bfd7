"""What boot loaders check before they start a firmware: boot2, IMAGE_DEF, UF2, an offset."""

from __future__ import annotations

import binascii
import importlib.util
import struct
import subprocess
import sys
from collections import deque
from pathlib import Path
from types import ModuleType

import pytest
import unicorn
from unicorn import arm_const

from edgec.codegen.project import TEMPLATES
from tests.support.firmware_image import BoardImage, FirmwareImage
from tests.support.modules import ROOT

BOOT2_TOOL = ROOT / "tools" / "gen_boot2.py"

FAMILIES = {"pico": 0xE48BFF56, "pico2": 0xE48BFF59}


def module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def mpeg2_crc(data: bytes) -> int:
    """Return the CRC that RP2040's boot ROM computes, by zlib's, which takes bits in reverse."""

    def reverse(value: int, bits: int) -> int:
        return int(f"{value:0{bits}b}"[::-1], 2)

    mirrored = bytes(reverse(byte, 8) for byte in data)
    return reverse(binascii.crc32(mirrored) ^ 0xFFFFFFFF, 32)


def test_the_boot_rom_of_rp2040_accepts_the_second_stage(
    board_image: BoardImage,
) -> None:
    image = FirmwareImage(board_image("pico").elf)
    assert mpeg2_crc(b"123456789") == 0x0376E6E7  # the check value of CRC-32/MPEG-2
    assert image.symbols["boot2"] == 0x10000000
    stage = image.flash(0x10000000, 256)
    assert mpeg2_crc(stage[:252]) == int.from_bytes(stage[252:], "little")
    # It goes on where the vector table is.
    assert image.symbols["edgec_vectors"] == 0x10000100
    assert struct.pack("<I", 0x10000100) in stage


class Flash:
    """RP2040's SSI with a W25Q flash behind it, as far as a second stage asks."""

    def __init__(self, quad_enabled: bool) -> None:
        self.quad_enabled = quad_enabled
        self.registers: dict[int, int] = {}
        self.sent: list[list[int]] = []
        self._replies: deque[int] = deque()
        self._writable = False

    def read(self, _: unicorn.Uc, at: int, size: int, data: None) -> int:
        if at == 0x28:
            return 0b110  # everything sent, nothing going on
        return self._replies.popleft() if at == 0x60 else self.registers.get(at, 0)

    def write(self, _: unicorn.Uc, at: int, size: int, value: int, data: None) -> None:
        assert self.registers.get(8, 0) == 1 or at != 0x60, "nothing is sent while it is off"
        assert self.registers.get(8, 0) == 0 or at in (8, 0x60), "set while it is on"
        if at != 0x60:
            self.registers[at] = value
            return
        if not self._replies or self.registers[0] >> 21 & 3:
            self.sent.append([])
        frame = self.sent[-1]
        frame.append(value)
        if self.registers[0] >> 21 & 3 == 0:
            status = {0x35: int(self.quad_enabled) << 1, 0x05: 0}
            self._replies.append(status.get(frame[0], 0xFF) if len(frame) > 1 else 0xFF)
            if frame == [0x06]:
                self._writable = True
            if frame == [0x01, 0x00, 0x02] and self._writable:
                self.quad_enabled = True


@pytest.mark.parametrize("quad_enabled", [True, False])
def test_the_second_stage_makes_flash_readable_and_starts_the_firmware(
    quad_enabled: bool, board_image: BoardImage
) -> None:
    image = FirmwareImage(board_image("pico").elf)
    stack, entry = image.words(0x10000100, 2)
    flash = Flash(quad_enabled)
    core = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
    core.ctl_set_cpu_model(arm_const.UC_CPU_ARM_CORTEX_M0)
    for start, size in ((0x10000000, 0x1000), (0x20041000, 0x1000), (0x40020000, 0x1000)):
        core.mem_map(start, size)
    core.mem_map(0xE000E000, 0x1000)
    core.mmio_map(0x18000000, 0x1000, flash.read, None, flash.write, None)
    core.mem_write(0x10000100, image.flash(0x10000100, 8))
    core.mem_write(0x20041F00, image.flash(0x10000000, 256))
    core.emu_start(0x20041F01, entry & ~1, count=5000)
    assert core.reg_read(arm_const.UC_ARM_REG_PC) == entry & ~1
    assert core.reg_read(arm_const.UC_ARM_REG_SP) == stack
    assert bytes(core.mem_read(0xE000ED08, 4)) == struct.pack("<I", 0x10000100)
    assert flash.quad_enabled
    assert ([0x01, 0x00, 0x02] in flash.sent) == (not quad_enabled)
    # Quad I/O with the mode byte that leaves commands out, and no instruction from then on.
    assert flash.sent[-2:] == [[0xEB], [0xA0]]
    assert flash.registers[0x00] >> 21 & 3 == 2
    assert flash.registers[0xF4] == 0xA0 << 24 | 4 << 11 | 8 << 2 | 2
    assert flash.registers[0x08] == 1


def test_the_second_stage_is_that_of_its_source() -> None:
    done = subprocess.run([sys.executable, BOOT2_TOOL, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_second_stage_that_is_too_long_is_refused() -> None:
    with pytest.raises(SystemExit, match="takes 253 bytes, there are 252"):
        module(BOOT2_TOOL).table(bytes(253))


def test_the_boot_rom_of_rp2350_finds_one_block_and_ends_where_it_began(
    board_image: BoardImage,
) -> None:
    image = FirmwareImage(board_image("pico2").elf)
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
def test_a_uf2_file_puts_the_image_back_together(name: str, board_image: BoardImage) -> None:
    content = board_image(name).elf.with_suffix(".uf2").read_bytes()
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
    binary = board_image(name).bin
    assert binary is not None
    linked = binary.read_bytes()
    assert bytes(flash) == linked.ljust(len(flash), b"\0")
    assert len(flash) - len(linked) < 256


def test_an_empty_image_makes_no_block() -> None:
    uf2 = module(TEMPLATES / "uf2" / "edgec_uf2.py")
    assert uf2.blocks(b"", 0x10000000, 1) == b""
    assert len(uf2.blocks(bytes(257), 0x10000000, 1)) == 1024


def test_the_nano_starts_above_its_boot_loader(board_image: BoardImage) -> None:
    image = FirmwareImage(board_image("nano33ble").elf)
    assert image.symbols["edgec_vectors"] == 0x10000
    assert min(address for address, _ in image.segments) == 0x10000
