"""A session as the official runner holds it: five windows of ten seconds, or the whole data set."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

from edgec.pipeline.errors import InfrastructureError, MeasurementError
from edgec.pipeline.mlperf.dataset import Dataset, Entry
from edgec.pipeline.mlperf.scores import Scores, score
from edgec.targets.device_protocol import DeviceResetError
from edgec.targets.mlperf_device import Inference, MlperfDevice

WINDOWS = 5
WINDOW_S = 10.0

# A window may not take as long as the runner waits for a line, which is 30 s.
LONGEST_WINDOW_S = 25.0

# How far the device's clock may be from ours: a wrong clock tree is off by far more.
CLOCK_TOLERANCE = 0.02

Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Measured:
    """One `infer` of a session."""

    entry: Entry
    iterations: int
    warmup: int
    inference: Inference

    @property
    def throughput(self) -> float:
        """Inferences a second by the device's clock."""
        return self.iterations / (self.inference.elapsed_us / 1e6)


@dataclass(slots=True)
class Session:
    """What was done with a device, in order; `emulated` names an emulator whose clock is virtual.

    `log` gets what the official runner would print. Windows of less than ten seconds are for tests.
    """

    device: MlperfDevice
    dataset: Dataset
    emulated: str = ""
    log: Callable[[str], None] = print
    window_s: float = WINDOW_S
    measured: list[Measured] = field(default_factory=list)

    def performance(self, progress: Report | None = None) -> float:
        """Measure five windows of ten seconds by the device's clock; return the median throughput.

        Raises MeasurementError if the device's clock is not ours, where it has a clock of its own.
        """
        task, entries = self.dataset.task, self.dataset.entries
        iterations = self._iterations(self.dataset.windows(entries[0])[0])
        self.measured.clear()
        while len(self.measured) < WINDOWS:
            entry = entries[len(self.measured) % len(entries)]
            self._log_load(entry)
            data = self.dataset.windows(entry)[0]
            one = self._measure(entry, data, iterations, task.warmup)
            if one.inference.elapsed_us < self.window_s * 1e6:
                # All windows have as many inferences, so they begin anew.
                iterations = _more(iterations, one.inference.elapsed_us / 1e6, self.window_s)
                self.measured.clear()
                continue
            self._check_clock(one)
            self._log_window(len(self.measured), one)
            if progress is not None:
                progress(len(self.measured), WINDOWS)
        return statistics.median(one.throughput for one in self.measured)

    def accuracy(self, progress: Report | None = None) -> Scores:
        """Classify the whole data set, an inference an input; return the scores."""
        total = sum(1 for _ in self.dataset.inputs())
        for entry, data in self.dataset.inputs():
            self._log_load(entry)
            one = self._measure(entry, data, 1, 0)
            self._log_window(len(self.measured), one)
            if progress is not None:
                progress(len(self.measured), total)
        return score(
            [one.entry.file for one in self.measured],
            [one.entry.label for one in self.measured],
            [one.inference.results for one in self.measured],
        )

    def _iterations(self, data: bytes) -> int:
        """Return how many inferences the windows begin with: the runner's, if that is not long."""
        wanted = self.dataset.task.iterations
        once = self._infer(data, 1, 1).elapsed_us / 1e6
        if not self.emulated and once > LONGEST_WINDOW_S:
            raise MeasurementError(
                f"an inference takes {once:.1f} s; a window must end within {LONGEST_WINDOW_S:g} s"
            )
        return max(1, min(wanted, math.floor(LONGEST_WINDOW_S / once)))

    def _measure(self, entry: Entry, data: bytes, iterations: int, warmup: int) -> Measured:
        one = Measured(entry, iterations, warmup, self._infer(data, iterations, warmup))
        self.measured.append(one)
        return one

    def _infer(self, data: bytes, iterations: int, warmup: int) -> Inference:
        """Load and infer; both once more where that failed, unless the device was reset."""
        try:
            self.device.load(data)
            return self.device.infer(iterations, warmup)
        except DeviceResetError:
            raise
        except InfrastructureError:
            self.device.retries += 1
        self.device.identify()
        self.device.load(data)
        return self.device.infer(iterations, warmup)

    def _check_clock(self, one: Measured) -> None:
        """Compare the device's clock with ours over a window, which an emulator's is nothing to."""
        if self.emulated:
            return
        ours, its = one.inference.host_s, one.inference.elapsed_us / 1e6
        if abs(ours - its) > CLOCK_TOLERANCE * ours:
            raise MeasurementError(
                f"a window took {its:.3f} s by the device's clock and {ours:.3f} s by ours",
                "its clock tree is not what the firmware thinks: look at the profile's clock_hz",
            )

    def _log_load(self, entry: Entry) -> None:
        self.log(f"Loading file {entry.file}")

    def _log_window(self, number: int, one: Measured) -> None:
        seconds = one.inference.elapsed_us / 1e6
        note = "  (virtual)" if self.emulated else ""
        self.log(f"Performance results for window {number}:")
        self.log(f"  # Inferences : {one.iterations:>13}")
        self.log(f"  Runtime      : {seconds:>10.3f} sec.{note}")
        self.log(f"  Throughput   : {one.throughput:>10.3f} inf./sec.{note}")
        self.log(f"  m-results    : {list(one.inference.results)}")


def _more(iterations: int, took_s: float, window_s: float) -> int:
    """Return how many inferences take a little over a window, ten times as many at most.

    What a few inferences took on a computer says little of how long thousands take.
    """
    wanted = math.ceil(iterations * window_s * 1.05 / took_s)
    return max(iterations + 1, min(wanted, 10 * iterations))
