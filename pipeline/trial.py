"""Tries a built model out on a device: verified first, then measured."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgec.pipeline.backends.base import Built
from edgec.pipeline.errors import MeasurementError
from edgec.pipeline.graph import Interface
from edgec.pipeline.oracle import Sample, random_sample
from edgec.pipeline.verify import Verified, verify_device
from edgec.pipeline.worker import Progress, Report
from edgec.targets.bench import BenchResult, run_bench
from edgec.targets.device_protocol import Device
from edgec.targets.session import open_device
from edgec.targets.toolchain import Image

SAMPLE_BYTES = 40_000
"""What a build sends over the link to be verified, about."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A built model, and the samples to try it with."""

    built: Built
    samples: Sequence[Sample]
    progress: Report


def usual_samples(ports: Interface) -> int:
    """Return how many inputs a build verifies: 5, but 2 where the link to the board takes long."""
    size = sum(ports[name].size_bytes for name in ports.inputs)
    return max(2, min(5, SAMPLE_BYTES // size))


def random_samples(ports: Interface, count: int) -> list[Sample]:
    """Return reproducible samples of a model's inputs, seeds 1 to `count`."""
    return [random_sample(ports, seed) for seed in range(1, count + 1)]


def verify_host(trial: Trial) -> Verified | None:
    """Compare what was built on this machine with the oracle; None where that is the target."""
    with tempfile.TemporaryDirectory(prefix="edgec-") as folder:
        local = trial.built.on_host(Path(folder))
        if local is None:
            return None
        there = replace(trial, built=local)
        return try_image(there, local.image(), "host C", counted=False)[0]


def try_image(
    trial: Trial, image: Image, name: str, *, counted: bool, allow_throttled: bool = False
) -> tuple[Verified, BenchResult | None]:
    """Compare an image with the oracle on every sample, then count the last one if asked to.

    An emulator that stands in for the device is named, and nothing is timed there.
    """
    built = trial.built

    def report(done: int, total: int) -> None:
        trial.progress(Progress("verify", done, total, name))

    with open_device(image, built.target) as device:
        where = f"{name} under {device.emulator}" if device.emulator else name
        checked, answers = verify_device(
            device, built.ports, built.oracle, trial.samples, where,
            allowed=built.allowed, explain=built.explain, progress=report,
        )  # fmt: skip
        if not counted:
            return checked, None
        return checked, _measure(trial, image, device, answers[-1], allow_throttled)


def _measure(
    trial: Trial, image: Image, device: Device, answer: Sequence[bytes], allow_throttled: bool
) -> BenchResult:
    """Count the last sample, which the device holds, and its layers on the profile build.

    `answer` is what was verified. Raises MeasurementError if it is not repeated.
    """
    target = trial.built.target
    trial.progress(Progress("measure", 0, 0, f"counting on {target.name}"))
    sample = [np.ascontiguousarray(v).tobytes() for v in trial.samples[-1]]

    def measure(layered: Device | None) -> BenchResult:
        return run_bench(
            device, image, [sample], [answer], profile=layered, loaded=True,
            allow_throttled=allow_throttled,
        )  # fmt: skip

    slow = None if device.emulator else trial.built.profile_image()
    if slow is None:
        measured = measure(None)
    else:
        with open_device(slow, target) as layered:
            measured = measure(layered)
    if not measured.valid:
        hint = "let it cool, mend its power supply, or --allow-throttled" if measured.slowed else ""
        raise MeasurementError(f"the measurement is not valid: {measured.why}", hint)
    return measured
