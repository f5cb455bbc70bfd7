"""Firmware of boards: built for every one, run where QEMU has a chip of the family."""

from __future__ import annotations

import numpy as np
import pytest

from edgec.targets.profile import Target, board_names, load_target
from edgec.targets.session import open_device
from tests.support.firmware_image import BoardImage, FirmwareImage
from tests.tiny_model import expected

BOARDS = {name: load_target(name) for name in board_names()}
ARM = [name for name, board in BOARDS.items() if board.memories]
EMULATED = [name for name, board in BOARDS.items() if board.runner == "qemu"]

# What counts under QEMU, whose DWT stands still.
TIMERS = {"microbit": "timer"}


def memory(target: Target, kind: str) -> range:
    found = next(m for m in target.memories if m.kind == kind)
    return range(found.origin, found.origin + found.size_bytes)


@pytest.mark.parametrize("name", ARM)
def test_the_core_finds_stack_and_start_where_it_looks(name: str, board_image: BoardImage) -> None:
    target = BOARDS[name]
    image = FirmwareImage(board_image(name).elf)
    table = image.symbols["edgec_vectors"]
    assert table % 128 == 0
    stack, *handlers = image.words(table, 16)
    assert stack == image.symbols["edgec_stack_top"]
    assert stack % 8 == 0
    assert handlers[0] == image.symbols["edgec_reset"] == image.entry
    assert handlers[14] == image.symbols["edgec_systick"]
    assert all(handler & 1 and handler in memory(target, "flash") for handler in handlers)


@pytest.mark.parametrize("name", ARM)
def test_every_section_lies_in_the_boards_memories(name: str, board_image: BoardImage) -> None:
    target = BOARDS[name]
    image = FirmwareImage(board_image(name).elf)
    flash, ram = memory(target, "flash"), memory(target, "ram")
    for section in image.sections.values():
        last = section.address + section.size - 1
        where = ram if section.name in (".stack", ".data", ".bss") else flash
        assert section.address in where and last in where, section
    for address, data in image.segments:
        assert address in flash and address + len(data) - 1 in flash
    # Running out of stack must leave RAM, not run into variables.
    assert image.sections[".stack"].address == ram.start
    assert image.sections[".stack"].size == target.stack_bytes


@pytest.mark.parametrize("name", ARM)
def test_a_board_flashes_the_bytes_that_were_linked(name: str, board_image: BoardImage) -> None:
    linked = board_image(name)
    assert linked.bin is not None
    content = linked.bin.read_bytes()
    origin = memory(BOARDS[name], "flash").start
    for address, data in FirmwareImage(linked.elf).segments:
        assert content[address - origin : address - origin + len(data)] == data


@pytest.mark.parametrize("name", EMULATED)
def test_an_emulated_board_answers_and_counts_over_its_uart(
    name: str, board_image: BoardImage
) -> None:
    target = BOARDS[name]
    rng = np.random.default_rng(1)
    a = rng.integers(-128, 128, 2000, dtype=np.int8)
    b = np.array([3, 0, 0, -7], np.int8)
    counts = {}
    with open_device(board_image(name), target) as device:
        assert device.info.target == name
        assert (device.info.timer, device.info.unit) == (
            TIMERS.get(name, "systick"),
            "instructions",
        )
        device.write_input(0, a.tobytes())
        device.write_input(1, b.tobytes())
        assert len(device.run(2, warmup=1).counts) == 2
        assert device.read_output(0) == expected(a, b)[1].tobytes()
        for turns in (0, 1, 255):
            device.write_input(1, bytes([turns, 0, 0, 0]))
            result = device.run(2, warmup=1)
            assert result.counts[0] == result.counts[1]
            counts[turns] = result.counts[0]
        assert device.let_pass(1)[0] >= 16_000
        assert 0 < device.measure_stack() < target.stack_bytes // 4
    # The loop of the model is two instructions a turn, a thousand turns a unit.
    assert counts[1] - counts[0] == 2000
    assert counts[255] - counts[0] == 510000
