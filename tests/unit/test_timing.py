from __future__ import annotations

from edgec.targets.device_protocol import Device
from edgec.targets.host_state import HostState
from edgec.targets.timing import Spread, spread, timed_counts
from tests.fake_device import FakeDevice, FakeLink


def test_a_spread_is_made_of_counts_that_occurred() -> None:
    assert spread([7]) == Spread(1, 7, 7, 7, 0)
    assert spread(list(range(100, 0, -1))) == Spread(100, 50.5, 95, 99, 25)


def test_a_computer_is_warmed_up_and_timed_long_enough() -> None:
    def device(**facts: object) -> Device:
        return Device(FakeLink(FakeDevice()), instruction_ns=128, **facts)  # type: ignore[arg-type]

    assert len(timed_counts(device())) == 1
    assert len(timed_counts(device(), 7)) == 7
    assert len(timed_counts(device(emulator="qemu", observe=HostState))) == 1
    assert 50 <= len(timed_counts(device(observe=HostState))) <= 2000
