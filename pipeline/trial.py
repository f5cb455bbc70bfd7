"""Tries a compiled model out on a device: verified first, then measured."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgec.pipeline.compile import Compiled, write_sources
from edgec.pipeline.errors import MeasurementError
from edgec.pipeline.graph import Rounding
from edgec.pipeline.oracle import Oracle, Sample, open_oracle, random_sample
from edgec.pipeline.verify import Verified, explain_difference, verify_device
from edgec.pipeline.worker import Progress, Report
from edgec.targets.bench import BenchResult, run_bench
from edgec.targets.device_protocol import Device
from edgec.targets.profile import Target, load_target
from edgec.targets.session import open_device
from edgec.targets.toolchain import Image, build_image

HOST = "x86"
"""This machine: before another device runs generated C, it is checked here, as portable C."""


SAMPLE_BYTES = 40_000
"""What a build sends over the link to be verified, about."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A compiled model, its rendered firmware project, and the samples to try it with."""

    compiled: Compiled
    project: Path
    target: Target
    samples: Sequence[Sample]
    progress: Report

    @property
    def oracle(self) -> Oracle:
        """A fresh reference interpreter of the model."""
        return oracle_of(self.compiled)


def usual_samples(compiled: Compiled) -> int:
    """Return how many inputs a build verifies: 5, but 2 where the link to the board takes long."""
    graph = compiled.graph
    size = sum(graph[name].size_bytes for name in graph.inputs)
    return max(2, min(5, SAMPLE_BYTES // size))


def random_samples(compiled: Compiled, count: int) -> list[Sample]:
    """Return reproducible samples of a model's inputs, seeds 1 to `count`."""
    return [random_sample(compiled.graph, seed) for seed in range(1, count + 1)]


def oracle_of(compiled: Compiled) -> Oracle:
    """Return the reference interpreter of a compiled model, in its rounding profile."""
    ops = compiled.source.ops
    rounding = ops[0].rounding if ops else Rounding.TFLITE
    return open_oracle(compiled.model, compiled.source, rounding)


def host_target() -> Target:
    """Return this machine as a target of portable C: kernels for its CPU run as their twins."""
    host = load_target(HOST)
    tools = replace(host.toolchain, cflags=())
    return replace(host, toolchain=tools, defines=(*host.defines, "EDGEC_PORTABLE"))


def verify_host(trial: Trial) -> Verified | None:
    """Compare portable C on this machine with the oracle; None where the target runs just that."""
    kernels = {part.kernel for step in trial.compiled.plan.steps for part in step.parts}
    if trial.target.name == HOST and not any("_vector" in kernel for kernel in kernels):
        return None
    host = host_target()
    with tempfile.TemporaryDirectory(prefix="edgec-") as folder:
        write_sources(trial.compiled, host, Path(folder))
        local = Trial(
            trial.compiled, Path(folder) / "firmware", host, trial.samples, trial.progress
        )
        return try_image(local, build_image(local.project, host), "host C", counted=False)[0]


def try_image(
    trial: Trial, image: Image, name: str, *, counted: bool, allow_throttled: bool = False
) -> tuple[Verified, BenchResult | None]:
    """Compare an image with the oracle on every sample, then count the last one if asked to.

    An emulator that stands in for the device is named, and nothing is timed there.
    """
    compiled, oracle = trial.compiled, trial.oracle

    def explain(sample: Sample) -> str:
        slow = build_image(trial.project, trial.target, profile=True)
        with open_device(slow, trial.target) as device:
            return explain_difference(device, compiled.graph, compiled.plan, sample)

    def report(done: int, total: int) -> None:
        trial.progress(Progress("verify", done, total, name))

    with open_device(image, trial.target) as device:
        where = f"{name} under {device.emulator}" if device.emulator else name
        checked, answers = verify_device(
            device, compiled.graph, oracle, trial.samples, where, explain=explain, progress=report
        )
        if not counted:
            return checked, None
        return checked, _measure(trial, image, device, answers[-1], allow_throttled)


def _measure(
    trial: Trial, image: Image, device: Device, answer: Sequence[bytes], allow_throttled: bool
) -> BenchResult:
    """Count the last sample, which the device holds, and its layers on the profile build.

    `answer` is what was verified. Raises MeasurementError if it is not repeated.
    """
    trial.progress(Progress("measure", 0, 0, f"counting on {trial.target.name}"))
    sample = [np.ascontiguousarray(v).tobytes() for v in trial.samples[-1]]

    def measure(layered: Device | None) -> BenchResult:
        return run_bench(
            device, image, [sample], [answer], profile=layered, loaded=True,
            allow_throttled=allow_throttled,
        )  # fmt: skip

    if device.emulator:
        measured = measure(None)
    else:
        slow = build_image(trial.project, trial.target, profile=True)
        with open_device(slow, trial.target) as layered:
            measured = measure(layered)
    if not measured.valid:
        hint = "let it cool, mend its power supply, or --allow-throttled" if measured.slowed else ""
        raise MeasurementError(f"the measurement is not valid: {measured.why}", hint)
    return measured
