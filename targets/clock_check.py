"""Compares a device's clock with this computer's: milliseconds are cycles by the clock it says.

A clock tree that was set up wrong shows in nothing else.
"""

from __future__ import annotations

from edgec.pipeline.errors import MeasurementError
from edgec.targets.device_protocol import Device

CHECK_MS = 2000
"""So long that what a USB bridge holds frames back, 16 ms, is under half the tolerance."""

TOLERANCE = 0.02

TRIES = 3
"""A computer that is busy sees frames late; a wrong clock is wrong each time."""


def check_clock(device: Device, ms: int = CHECK_MS) -> float:
    """Return the timer's rate by this computer's clock, in Hz.

    Raises MeasurementError if it is not what the device says.
    """
    said = device.info.timer_hz
    rates = []
    for _ in range(TRIES):
        ticks, seconds = device.let_pass(ms)
        if ticks < said * ms // 1000:
            raise MeasurementError("the device's timer stands still", "reset the board")
        rates.append(ticks / seconds)
        if abs(rates[-1] - said) <= TOLERANCE * said:
            return rates[-1]
    best = min(rates, key=lambda rate: abs(rate - said))
    raise MeasurementError(
        f"the device says that its clock runs at {said:,} Hz, by this computer's clock it is "
        f"{best:,.0f} Hz",
        "its clock is not set up as meant: look at the crystal, and at the board's clock code",
    )
