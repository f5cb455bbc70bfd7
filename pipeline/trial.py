"""Tries a built model out on a device: verified first, then measured."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgec.codegen.registry import Io, as_kernel_op
from edgec.pipeline.backends.base import Built
from edgec.pipeline.errors import MeasurementError, VerificationError
from edgec.pipeline.graph import Graph, Interface
from edgec.pipeline.oracle import Sample, random_sample
from edgec.pipeline.verify import Verified, WrongAnswerError, verify_device
from edgec.pipeline.worker import Progress, Report
from edgec.targets.bench import BenchResult, run_bench, with_layers
from edgec.targets.device_protocol import Device
from edgec.targets.session import open_device, takes_images
from edgec.targets.toolchain import Image

SAMPLE_BYTES = 40_000
"""What a build sends over the link to be verified, about."""

LARGE_MACS = 2_000_000_000
"""From how many multiply-accumulates on a build verifies one input."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A built model, and the samples to try it with."""

    built: Built
    samples: Sequence[Sample]
    progress: Report


def usual_samples(ports: Interface) -> int:
    """Return how many inputs a build verifies: 5, but 2 where the link to the board takes long.

    Of a network so large that the reference interpreter takes seconds for each, it is 1.
    """
    size = sum(ports[name].size_bytes for name in ports.inputs)
    if isinstance(ports, Graph):
        macs = sum(as_kernel_op(op).macs(Io.of(ports, op)) for op in ports.ops)
        if macs > LARGE_MACS:
            return 1
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
        image = local.image()
        name = "host C" if image.script is None else "this machine"
        return try_image(there, image, name, counted=False)[0]


def try_image(
    trial: Trial, image: Image, name: str, *, counted: bool, allow_throttled: bool = False
) -> tuple[Verified, BenchResult | None]:
    """Compare an image with the oracle on every sample, then count the last one if asked to.

    An emulator that stands in for the device is named, and nothing is timed there.
    """
    target = trial.built.target
    try:
        with open_device(image, target) as device:
            checked, answer, measured = _tried(trial, image, device, name, counted, allow_throttled)
    except WrongAnswerError as error:
        # Only now is the device free to run another image.
        why = trial.built.explain(error.sample) if takes_images(target) else ""
        text = f"{error.message}; {why}" if why else error.message
        raise VerificationError(text, error.hint) from error
    if measured is not None and takes_images(target) and not measured.emulator:
        measured = _layered(trial, measured, answer)
    return checked, measured


def _tried(
    trial: Trial, image: Image, device: Device, name: str, counted: bool, allow_throttled: bool
) -> tuple[Verified, Sequence[bytes], BenchResult | None]:
    """Compare a device's answers, and count the last sample if asked to; return that answer too."""
    built = trial.built

    def report(done: int, total: int) -> None:
        trial.progress(Progress("verify", done, total, name))

    where = f"{name} under {device.emulator}" if device.emulator else name
    checked, answers = verify_device(
        device, built.ports, built.oracle, trial.samples, where, allowed=built.allowed,
        progress=report,
    )  # fmt: skip
    if not counted:
        return checked, answers[-1], None
    trial.progress(Progress("measure", 0, 0, f"counting on {built.target.name}"))
    measured = run_bench(
        device, image, [_last(trial)], [answers[-1]], loaded=True, allow_throttled=allow_throttled
    )
    return checked, answers[-1], _valid(measured)


def _layered(trial: Trial, measured: BenchResult, answer: Sequence[bytes]) -> BenchResult:
    """Add the counts per layer of the last sample, from the profile build if there is one."""
    slow = trial.built.profile_image()
    if slow is None:
        return measured
    with open_device(slow, trial.built.target) as device:
        return _valid(with_layers(measured, device, _last(trial), answer))


def _last(trial: Trial) -> list[bytes]:
    return [np.ascontiguousarray(value).tobytes() for value in trial.samples[-1]]


def _valid(measured: BenchResult) -> BenchResult:
    """Return a measurement; raise MeasurementError if it is not one."""
    if not measured.valid:
        hint = "let it cool, mend its power supply, or --allow-throttled" if measured.slowed else ""
        raise MeasurementError(f"the measurement is not valid: {measured.why}", hint)
    return measured
