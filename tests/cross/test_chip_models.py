"""Firmware of chips that QEMU lacks, on models of them: it starts, sets its clock, and answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgec.targets.device_protocol import Device, Timeouts
from edgec.targets.profile import load_target
from tests.support.chip_model import Chip
from tests.support.chip_models import MODELS
from tests.support.firmware_image import BoardImage, FirmwareImage
from tests.tiny_model import expected

PATIENT = Timeouts(reply_s=20, inference_s=60)


@pytest.mark.parametrize("name", MODELS)
def test_the_firmware_sets_the_promised_clock_and_answers(
    name: str, board_image: BoardImage
) -> None:
    target = load_target(name)
    board = target.board
    assert board is not None and target.clock_hz is not None
    chip = Chip(FirmwareImage(board_image(name).elf), target, MODELS[name])
    device = Device(chip, timeouts=PATIENT)
    hello = device.hello()
    assert chip.model.core_hz(chip.registers) == target.clock_hz == hello.timer_hz
    assert chip.model.baud(chip.registers) == pytest.approx(board.baud, rel=0.01)
    assert (hello.timer, hello.unit) == (board.timer, "cycles")
    a = np.arange(2000).astype(np.int8)
    b = np.array([0, 0, 0, -7], np.int8)
    device.write_input(0, a.tobytes())
    device.write_input(1, b.tobytes())
    assert device.run(1).counts[0] > 0
    assert device.read_output(0) == expected(a, b)[1].tobytes()
    assert device.retries == 0


@pytest.mark.parametrize("name", ["nucleo-l4r5zi", "nucleo-u575zi-q", "nucleo-h743zi2", "pico2"])
def test_a_pll_that_does_not_start_leaves_a_board_that_answers_and_says_so(
    name: str, board_image: BoardImage
) -> None:
    target, model = load_target(name), MODELS[name]
    dead = {address: lambda registers: 0 for address in model.status}
    # Resets are still done, and the clock switch stays where it is.
    kept = {a: r for a, r in model.status.items() if a & 0xFFF == 8 and name == "pico2"}
    chip = Chip(
        FirmwareImage(board_image(name).elf), target, replace(model, status={**dead, **kept})
    )
    hello = Device(chip, timeouts=PATIENT).hello()
    assert hello.timer_hz != target.clock_hz
    assert hello.timer_hz in (4_000_000, 12_000_000, 64_000_000)
