"""An emulated board that is reset, by the machine's own reset, while the host uses it."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from edgec.targets.device_protocol import Device, DeviceResetError
from edgec.targets.links.serial import SerialLink
from edgec.targets.runners.qemu import ICOUNT_SHIFT
from tests.support.bad_line import BadLine
from tests.support.torture import torture
from tests.tiny_model import expected
from tools.torture_link import EMULATED, build, started

M4 = "cortex-m4"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("reset"), M4)


def test_a_reset_in_the_middle_of_a_run_is_named_long_before_the_timeout(image: Path) -> None:
    with (
        started(image, M4) as board,
        BadLine(board, share=0.0, resets=1.0, most_resets=1, seed=1) as line,
    ):
        device = Device(SerialLink(line.address, 921600), 1 << ICOUNT_SHIFT)
        a, b = np.arange(2000).astype(np.int8), np.array([-1, 0, 0, 7], np.int8)
        device.write_input(0, a.tobytes())
        device.write_input(1, b.tobytes())
        start = time.monotonic()
        # Two hundred inferences of half a million instructions; each may take five minutes.
        with pytest.raises(DeviceResetError, match="reset before or during RUN"):
            device.run(200)
        assert time.monotonic() - start < 60
        assert line.reset_count == 1
        device.write_input(0, a.tobytes())
        device.write_input(1, b.tobytes())
        device.run(1)
        assert device.read_output(0) == expected(a, b)[1].tobytes()
        device.link.close()


def test_no_wrong_result_of_a_board_is_believed_over_a_bad_line(image: Path) -> None:
    with started(image, M4) as board, BadLine(board, share=0.3, resets=0.05, seed=3) as line:
        device = Device(SerialLink(line.address, 921600), 1 << ICOUNT_SHIFT, EMULATED)
        tally = torture(line, device, 200, seed=3)
        device.link.close()
    assert tally.right > 0
    assert tally.retries > 0
