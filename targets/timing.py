"""How often a device runs to be timed, and what the times come to."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from edgec.targets.device_protocol import Device

# Timed inferences a sample: an emulator repeats itself exactly, a computer does not.
RUNS = {"instructions": 1, "cycles": 3, "ns": 30}

# A computer that is measured over a link warms up this long, and is then timed as long.
WARM_UP_S = 0.5
TIMED_S = 1.0
LEAST_RUNS, MOST_RUNS = 50, 2000


@dataclass(frozen=True, slots=True)
class Spread:
    """What timed inferences came to; `mad` is the median distance from the median."""

    samples: int
    median: float
    p95: float
    p99: float
    mad: float


def spread(counts: Sequence[int]) -> Spread:
    """Return the spread of at least one count; percentiles are counts that occurred."""
    ordered = sorted(counts)
    middle = statistics.median(ordered)
    return Spread(
        len(ordered),
        middle,
        _percentile(ordered, 95),
        _percentile(ordered, 99),
        statistics.median(abs(count - middle) for count in ordered),
    )


def timed_counts(device: Device, runs: int | None = None) -> tuple[int, ...]:
    """Run the model on the inputs that the device holds; return the count of each timed inference.

    Where `runs` does not say how many, a computer with a state to observe warms up and is timed for
    a while, an emulator that stands in for a device runs once, any other as often as `RUNS` says.
    """
    reset = device.info.has_state
    if device.emulator and runs is None:
        return device.run(1, reset=reset).counts
    if runs is not None or device.observe is None:
        return device.run(runs or RUNS[device.info.unit], warmup=1, reset=reset).counts
    first = statistics.median(device.run(3, warmup=1, reset=reset).counts)
    per_s = device.info.timer_hz / max(first, 1)
    device.run(min(math.ceil(WARM_UP_S * per_s), MOST_RUNS), reset=reset)
    number = min(max(math.ceil(TIMED_S * per_s), LEAST_RUNS), MOST_RUNS)
    return device.run(number, reset=reset).counts


def _percentile(ordered: Sequence[int], percent: int) -> int:
    return ordered[math.ceil(len(ordered) * percent / 100) - 1]
