from __future__ import annotations

from pathlib import Path

import pytest

from edgec.pipeline.errors import BudgetError, BuildError
from edgec.targets.linkmap import ImageSize, budget_table, check_budget, read_map
from edgec.targets.profile import load_target

MAP = """Archive member included to satisfy reference by file (symbol)

/lib/libc_nano.a(libc_a-memcpy.o)
                              build/src/net.o (memcpy)

Discarded input sections

 .text          0x00000000      0x100 build/src/unused.o

Memory Configuration

Linker script and memory map

LOAD build/src/net.o

.text           0x00000000      0x300
 *(.vectors)
 .vectors       0x00000000       0x40 build/firmware/edgec_startup.o
 .text.net_run  0x00000040       0x64 build/src/net.o
                0x00000040                net_run
 *fill*         0x000000a4        0x4 00
 .text.a_name_that_takes_a_line
                0x000000a8       0x18 build/src/edgec_conv_2d_int8.o
 .text          0x000000c0       0x20 /lib/libc_nano.a(libc_a-memcpy.o)
 .text          0x000000e0       0x30 /lib/libc_nano.a(libc_a-strlen.o)
 .rodata.w      0x00000110      0x100 build/src/net_weights.o

.data           0x20000000        0x8 load address 0x00000300
 .data.state    0x20000000        0x8 build/src/net.o

.bss            0x20000008      0x500
 .bss.arena     0x20000008      0x400 build/firmware/edgec_glue.o
 .bss.link      0x20000408      0x100 build/firmware/edgec_link.o

.comment        0x00000000       0x33
 .comment       0x00000000       0x33 build/src/net.o

Cross Reference Table

Symbol                                            File
memcpy                                            /lib/libc_nano.a(libc_a-memcpy.o)
                                                  build/src/net.o
                                                  build/firmware/edgec_link.o
strlen                                            /lib/libc_nano.a(libc_a-strlen.o)
                                                  build/firmware/edgec_link.o
edgec_layer                                       build/firmware/edgec_layers.o
                                                  build/src/net.o
net_run                                           build/src/net.o
                                                  build/firmware/edgec_glue.o
"""


@pytest.fixture
def size(tmp_path: Path) -> ImageSize:
    path = tmp_path / "image.map"
    path.write_text(MAP, encoding="utf-8")
    return read_map(path, arena_bytes=0x300, io_bytes=0x100)


def test_the_model_and_the_bench_firmware_are_told_apart(size: ImageSize) -> None:
    assert size.library.flash_bytes == 0x64 + 4 + 0x18 + 0x20 + 0x100 + 8
    assert size.library.ram_bytes == 8
    assert size.ram_bytes == 8 + 0x300 + 0x100
    assert size.firmware.flash_bytes == 0x40 + 0x30
    assert size.firmware.ram_bytes == 0x100


def test_the_largest_come_first(size: ImageSize) -> None:
    assert size.largest("flash", 2) == [("net_weights.o", 0x100), ("net.o", 0x64 + 4 + 8)]
    assert size.largest("ram")[0] == ("arena", 0x300)
    assert "libc_nano.a(libc_a-memcpy.o)" in budget_table(size, "flash")


def test_within_budget_is_silent(size: ImageSize) -> None:
    check_budget(size, load_target("cortex-m4"))
    check_budget(size, load_target("x86"))


def test_over_budget_shows_what_is_largest(size: ImageSize) -> None:
    with pytest.raises(BudgetError) as error:
        check_budget(size, load_target("cortex-m4"), flash_bytes=400, ram_bytes=2**20)
    assert "takes 424 bytes of flash, 400 allowed" in error.value.message
    assert "256  net_weights.o" in error.value.message
    assert error.value.exit_code == 6


def test_something_else_than_a_map_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("hello")
    with pytest.raises(BuildError, match="not a map file"):
        read_map(tmp_path / "x", 0, 0)
    with pytest.raises(BuildError, match="cannot read"):
        read_map(tmp_path / "y", 0, 0)


def test_the_c_library_of_a_computer_is_not_the_models(tmp_path: Path) -> None:
    path = tmp_path / "image.map"
    path.write_text(MAP.replace("libc_nano.a", "libc.a"), encoding="utf-8")
    size = read_map(path, arena_bytes=0x300, io_bytes=0x100, hosted=True)
    assert size.library.flash_bytes == 0x64 + 4 + 0x18 + 0x100 + 8
    assert size.firmware.flash_bytes == 0x40 + 0x20 + 0x30
