"""The link under torture, in short: `make torture` does it with 100,000 frames."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgec.codegen.project import render_project
from edgec.targets.device_protocol import Device
from edgec.targets.links.serial import SerialLink
from edgec.targets.profile import load_target
from edgec.targets.toolchain import build_image
from tests.support.bad_line import FAULTS, BadLine, ProcessBoard
from tests.support.torture import QUICK, torture
from tests.tiny_model import MODEL, write_tiny

X86 = load_target("x86")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("torture")
    project = render_project(write_tiny(folder / "lib"), X86, folder / "fw", MODEL)
    return build_image(project, X86).elf


def test_no_wrong_result_is_believed_over_a_bad_line(image: Path) -> None:
    with BadLine(ProcessBoard(image), share=0.3, resets=0.05, seed=1) as line:
        device = Device(SerialLink(line.address, 921600), timeouts=QUICK)
        tally = torture(line, device, 1000, seed=2)
        device.link.close()
    assert tally.right > 10
    assert tally.retries > 10
    assert line.reset_count > 0
    assert tally.failures["the device was reset"] > 0
    assert set(line.to_host.faults) == set(line.to_board.faults) == set(FAULTS)


def test_a_good_line_loses_nothing(image: Path) -> None:
    with BadLine(ProcessBoard(image), share=0.0, seed=3) as line:
        device = Device(SerialLink(line.address, 921600))
        tally = torture(line, device, 500, seed=4)
        stats = device.stats()
        device.link.close()
    assert tally.failures.total() == 0
    assert tally.right > 25
    assert (stats.stale_frames, stats.overflows) == (0, 0)
