"""Measures a model on a device: counts per inference and layer, stack, flash and RAM.

No number leaves here unless every output was right.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from edgec.pipeline.errors import UsageError
from edgec.targets.clock_check import check_clock
from edgec.targets.device_protocol import Device, LayerResult
from edgec.targets.host_state import HostState, remarks, throttling
from edgec.targets.linkmap import ImageSize
from edgec.targets.timing import timed_counts
from edgec.targets.toolchain import Image

# How far the layers of a profile build may be from the clean build's total.
LAYER_SUM_TOLERANCE = 0.03

Buffers = Sequence[bytes]


@dataclass(frozen=True, slots=True)
class BenchResult:
    """What was measured; without `valid` there are no counts, and `why` says what was wrong.

    `samples` are counts of `unit`, one per timed inference; there are none where an `emulator`
    stands in for the device. `ram_bytes` is arena, inputs, outputs, the library's variables and the
    painted stack; the bench firmware's own share is apart. `states` are those of a computer before
    and after, `slowed` what throttled it in between. `timer` is what counts
    there, `timer_hz` what the device says it ticks at, `clock_hz` what the host found.
    """

    target: str
    unit: str
    samples: tuple[int, ...]
    per_op: tuple[LayerResult, ...]
    size: ImageSize | None
    stack_bytes: int | None
    sha256: str
    valid: bool
    why: str
    warnings: tuple[str, ...] = ()
    emulator: str = ""
    binary_bytes: int | None = None
    peak_bytes: int | None = None
    layer_names: tuple[str, ...] = ()
    states: tuple[HostState, ...] = ()
    slowed: str = ""
    timer: str = ""
    timer_hz: int | None = None
    clock_hz: float | None = None

    @property
    def flash_bytes(self) -> int | None:
        """Flash of the model."""
        return None if self.size is None else self.size.flash_bytes

    @property
    def ram_bytes(self) -> int | None:
        """Arena, inputs, outputs, the library's variables and the painted stack."""
        return None if self.size is None else self.size.ram_bytes + (self.stack_bytes or 0)

    @property
    def firmware_flash_bytes(self) -> int | None:
        """Flash of the bench firmware round the model."""
        return None if self.size is None else self.size.firmware.flash_bytes

    @property
    def firmware_ram_bytes(self) -> int | None:
        """RAM of the bench firmware round the model."""
        return None if self.size is None else self.size.firmware.ram_bytes

    @property
    def median(self) -> float:
        """The median count."""
        return statistics.median(self.samples)

    @property
    def minimum(self) -> int:
        """The smallest count."""
        return min(self.samples)

    @property
    def maximum(self) -> int:
        """The largest count."""
        return max(self.samples)

    @property
    def mad(self) -> float:
        """The median absolute deviation from the median."""
        middle = self.median
        return statistics.median(abs(sample - middle) for sample in self.samples)


def run_bench(
    device: Device,
    image: Image,
    samples: Sequence[Buffers],
    expected: Sequence[Buffers],
    *,
    runs: int | None = None,
    loaded: bool = False,
    allow_throttled: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> BenchResult:
    """Run every sample and compare its outputs; time the inferences after the first of each.

    `samples` and `expected` hold, per sample, the raw bytes of each input and output. `loaded` says
    that the device holds the first sample already, which a slow link is spared then. A computer
    that throttled itself makes the result invalid, unless `allow_throttled`. Under an emulator
    nothing is timed.
    `progress` is called with samples done and in all.
    """
    if not samples or len(samples) != len(expected):
        raise UsageError(f"{len(samples)} samples with {len(expected)} expected outputs")
    states = _observed(device)
    clock = _clock_hz(device)
    counts: list[int] = []
    for index, (inputs, outputs) in enumerate(zip(samples, expected, strict=True)):
        here = loaded and index == 0
        sample_counts, got = _run_sample(device, () if here else inputs, runs)
        why = _difference(index, got, outputs)
        if why:
            return _result(device, image, why=why)
        counts += sample_counts
        if progress is not None:
            progress(index + 1, len(samples))
    states += _observed(device)
    slowed = throttling(*states) if states else ""
    if slowed and not allow_throttled:
        why = f"the device was slowed down ({slowed})"
        return _result(device, image, why=why, states=states, slowed=slowed)
    if device.emulator:
        counts.clear()
    peak_kib = 0 if device.emulator else device.stats().peak_kib
    # Painting the stack takes memory of its own.
    stack = None
    if image.script is None:
        stack = device.measure_stack(reset=device.info.has_state)
    return _result(
        device,
        image,
        counts=tuple(counts),
        stack_bytes=stack,
        peak_kib=peak_kib,
        states=states,
        slowed=slowed,
        clock_hz=clock,
    )


def with_layers(
    result: BenchResult, profile: Device, sample: Buffers, expected: Buffers
) -> BenchResult:
    """Return a measurement with the counts per layer of one sample, from a profile build.

    It is no longer valid if the profile build answers otherwise than `expected`.
    """
    _, got = _run_sample(profile, sample, 1)
    why = _difference(0, got, expected)
    if why:
        return replace(result, samples=(), valid=False, why=f"profile build: {why}")
    layers = tuple(profile.layers())
    names = tuple(profile.layer_names()) if result.size is None else ()
    warnings = (*_warnings(result.samples, layers), *result.warnings)
    return replace(result, per_op=layers, layer_names=names, warnings=warnings)


def _observed(device: Device) -> tuple[HostState, ...]:
    """Return the state of a computer on which time is measured; nothing of other devices."""
    return () if device.observe is None or device.emulator else (device.observe(),)


def _clock_hz(device: Device) -> float | None:
    """Return how fast a core really runs, if it counts cycles; raise MeasurementError if wrong."""
    return check_clock(device) if device.info.unit == "cycles" else None


def _run_sample(
    device: Device, inputs: Buffers, runs: int | None
) -> tuple[tuple[int, ...], list[bytes]]:
    for index, data in enumerate(inputs):
        device.write_input(index, data)
    counts = timed_counts(device, runs)
    return counts, [device.read_output(i) for i in range(len(device.info.output_bytes))]


def _difference(sample: int, got: Buffers, wanted: Buffers) -> str:
    if len(got) != len(wanted):
        return f"sample {sample}: {len(got)} outputs, {len(wanted)} wanted"
    for index, (have, want) in enumerate(zip(got, wanted, strict=True)):
        if have != want:
            pairs = enumerate(zip(have, want, strict=False))
            byte = next((at for at, (a, b) in pairs if a != b), min(len(have), len(want)))
            return f"sample {sample}: output {index} differs from the reference at byte {byte}"
    return ""


def _result(
    device: Device,
    image: Image,
    *,
    why: str = "",
    counts: tuple[int, ...] = (),
    stack_bytes: int | None = None,
    peak_kib: int = 0,
    states: tuple[HostState, ...] = (),
    slowed: str = "",
    clock_hz: float | None = None,
) -> BenchResult:
    return BenchResult(
        target=image.target,
        unit=device.info.unit,
        samples=counts,
        per_op=(),
        size=image.size,
        stack_bytes=stack_bytes,
        sha256=image.model_sha256,
        valid=not why,
        why=why,
        warnings=_remarks(states, slowed),
        emulator=device.emulator,
        binary_bytes=image.binary_bytes,
        peak_bytes=1024 * peak_kib or None,
        states=states,
        slowed=slowed,
        timer=device.info.timer,
        timer_hz=device.info.timer_hz,
        clock_hz=clock_hz,
    )


def _remarks(states: tuple[HostState, ...], slowed: str) -> tuple[str, ...]:
    found = remarks(*states) if states else ()
    return (
        (f"the device was slowed down ({slowed}), and its times with it", *found)
        if slowed
        else found
    )


def _warnings(counts: tuple[int, ...], layers: tuple[LayerResult, ...]) -> tuple[str, ...]:
    if not counts or not layers:
        return ()
    total = statistics.median(counts)
    layer_sum = sum(layer.count for layer in layers)
    if abs(layer_sum - total) <= LAYER_SUM_TOLERANCE * total:
        return ()
    return (f"the layers of the profile build add up to {layer_sum}, the clean build to {total:g}",)
