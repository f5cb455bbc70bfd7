"""A device whose clock is not what it says, or whose counter wrapped, gives no measurement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest

from edgec.pipeline.errors import MeasurementError
from edgec.targets.clock_check import check_clock
from edgec.targets.counter_wrap import refuse_wrapped
from edgec.targets.device_protocol import Device, Timeouts
from edgec.targets.frames import Decoder, encode
from tests.fake_device import FakeDevice, FakeLink

HZ = 25_000_000
DWT = 3


@dataclass
class HostClock:
    """This computer's clock, moved on by what the device takes."""

    now_s: float = 1000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[HostClock]:
    made = HostClock()
    monkeypatch.setattr(
        "edgec.targets.device_protocol.time", SimpleNamespace(monotonic=lambda: made.now_s)
    )
    yield made


class TimedLink(FakeLink):
    """A link whose device takes as long for CLOCK as its real clock makes it take.

    It runs at `rate` times the clock that it says; the first `late` answers come 16 ms too late.
    """

    def __init__(self, clock: HostClock, rate: float, late: int = 0) -> None:
        super().__init__(FakeDevice(timer=DWT))
        self.clock, self.rate, self.late = clock, rate, late
        self._waiting: list[bytes] = []

    def write(self, data: bytes) -> None:
        frames = Decoder().feed(self.device.feed(data))
        self._arrived = encode(frames[0])
        self._waiting = [encode(frame) for frame in frames[1:]]

    def read(self, timeout_s: float) -> bytes:
        if not self._arrived and self._waiting:
            self.clock.now_s += 0.1 / self.rate + (0.016 if self.late > 0 else 0.0)
            self.late -= 1
            self._arrived = self._waiting.pop(0)
        return super().read(timeout_s)


def device_on(link: FakeLink) -> Device:
    return Device(link, timeouts=Timeouts(reply_s=1, inference_s=5))


def test_a_right_clock_is_measured(clock: HostClock) -> None:
    assert check_clock(device_on(TimedLink(clock, 1.01)), 100) == pytest.approx(1.01 * HZ)


@pytest.mark.parametrize("rate", [0.5, 0.97, 1.03, 4.0])
def test_a_wrong_clock_is_refused_with_what_it_is(clock: HostClock, rate: float) -> None:
    said = "says that its clock runs at 25,000,000 Hz"
    with pytest.raises(MeasurementError, match=said) as error:
        check_clock(device_on(TimedLink(clock, rate)), 100)
    found = float(error.value.message.split()[-2].replace(",", ""))
    assert found == pytest.approx(rate * HZ)
    assert error.value.exit_code == 5


def test_a_frame_that_was_late_once_is_forgiven(clock: HostClock) -> None:
    link = TimedLink(clock, 1.01, late=2)
    assert check_clock(device_on(link), 100) == pytest.approx(1.01 * HZ)
    assert link.late < 0


def test_a_timer_that_stands_still_is_refused() -> None:
    class Still(FakeDevice):
        def _answer(self, request):  # type: ignore[no-untyped-def]
            frames = super()._answer(request)
            if request.kind == 0x09:
                frames[-1] = replace(frames[-1], payload=bytes(8))
            return frames

    with pytest.raises(MeasurementError, match="stands still"):
        check_clock(device_on(FakeLink(Still(timer=DWT))), 100)


def test_a_counter_that_wrapped_is_refused() -> None:
    hello = replace(device_on(FakeLink(FakeDevice(timer=DWT))).info, timer_hz=400_000_000)
    stamps = {0: 100.0, 1: 101.0, 2: 113.0}
    second = 400_000_000
    refuse_wrapped(hello, [second, 12 * second], stamps)
    wrapped = 12 * second - 2**32
    with pytest.raises(MeasurementError, match="its counter of 32 bits wrapped"):
        refuse_wrapped(hello, [second, wrapped], stamps)
    # SysTick's overflows are counted, and an emulator's seconds are not ours.
    refuse_wrapped(replace(hello, timer="systick"), [second, wrapped], stamps)
    refuse_wrapped(replace(hello, unit="instructions"), [second, wrapped], stamps)


def test_a_warm_up_is_not_taken_for_a_timed_inference() -> None:
    hello = replace(device_on(FakeLink(FakeDevice(timer=DWT))).info, timer_hz=400_000_000)
    # A first inference of 12 s, which was not timed, and one of a second, which was.
    refuse_wrapped(hello, [400_000_000], {0: 100.0, 1: 112.0, 2: 113.0})
