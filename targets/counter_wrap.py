"""Notices that a cycle counter wrapped within an inference, which the counter itself cannot see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgec.pipeline.errors import MeasurementError
from edgec.targets.device_messages import Hello

COUNTER_BITS = {"dwt": 32, "timer": 32}


def refuse_wrapped(device: Hello, ticks: Sequence[int], stamps: Mapping[int, float]) -> None:
    """Raise MeasurementError if an inference outlasted a counter of 32 bits.

    `ticks` are those of the last inferences of a run, `stamps` when each number of them was done.
    A frame that was lost or late hides nothing: it makes an inference look longer, not shorter.
    """
    bits = COUNTER_BITS.get(device.timer)
    if bits is None or device.unit != "cycles" or not stamps:
        return
    last = max(stamps)
    for index, count in enumerate(ticks):
        done = last - len(ticks) + index + 1
        if done not in stamps or done - 1 not in stamps:
            continue
        seen = (stamps[done] - stamps[done - 1]) * device.timer_hz
        if seen - count > 0.75 * 2**bits:
            raise MeasurementError(
                f"an inference took {seen:,.0f} cycles by this computer's clock, {count:,} by the "
                f"device's: its counter of {bits} bits wrapped",
                "the model takes too long to be timed there in one go",
            )
