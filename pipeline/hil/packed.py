"""A job of a pack as something to be tried: its images are linked, its right answers recorded."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgec.pipeline.errors import UsageError
from edgec.pipeline.graph import Array, DType, Graph, Tensor
from edgec.pipeline.hil.manifest import HINT, Job
from edgec.pipeline.oracle import Sample
from edgec.pipeline.report.document import result_of
from edgec.pipeline.report.result import Result, with_measurement
from edgec.pipeline.verify import Tolerance
from edgec.targets.bench import BenchResult
from edgec.targets.linkmap import ImageSize, Usage
from edgec.targets.profile import Target
from edgec.targets.toolchain import Image

MAX_SAMPLES_BYTES = 256 * 1024 * 1024
"""A pack may be a stranger's; a small archive can hold much."""


class RecordedOracle:
    """Answers that the oracle gave when the pack was made, in the same order."""

    def __init__(self, name: str, answers: list[list[Array]]) -> None:
        self.name = name
        self._left = list(answers)

    def run(self, sample: Sample) -> list[Array]:
        """Return the outputs for the next sample."""
        del sample
        return self._left.pop(0)


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """A packed job on the target of one board, as a backend would have built it."""

    job: Job
    target: Target
    ports: Graph
    samples: tuple[tuple[Array, ...], ...]
    answers: tuple[tuple[Array, ...], ...]

    @property
    def oracle(self) -> RecordedOracle:
        """The recorded answers, from the first on."""
        return RecordedOracle(self.job.facts["oracle"], [list(a) for a in self.answers])

    @property
    def allowed(self) -> Tolerance:
        """What was allowed when it was packed."""
        return Tolerance(**self.job.facts["allowed"])

    def planned(self) -> Result:
        """Return what was known when it was packed."""
        return result_of(self.job.facts["planned"])

    def image(self) -> Image:
        """Return the clean image."""
        return self._image("image", profile=False)

    def profile_image(self) -> Image | None:
        """Return the image that times each layer, None if there is none."""
        if self.job.facts["profile"] is None:
            return None
        return self._image("profile", profile=True)

    def on_host(self, folder: Path) -> None:
        """Return nothing: the host was checked when the bundle was built."""
        del folder

    def explain(self, sample: Sample) -> str:
        """Say nothing: the model is not here."""
        del sample
        return "'edgec verify' on the bundle names the layer, if it fails there too"

    def measured(self, result: Result, bench: BenchResult) -> Result:
        """Return the result with what the device measured."""
        return with_measurement(result, bench)

    def _image(self, name: str, *, profile: bool) -> Image:
        facts = self.job.facts[name]
        path = self.job.folder / f"{name}.elf"
        # Archives of CI keep no modes, and some images are programs.
        path.chmod(path.stat().st_mode | 0o100)
        others = [path.with_suffix(suffix) for suffix in (".bin", ".hex")]
        there = [other if other.is_file() else None for other in others]
        size = ImageSize(
            Usage(**facts["library"]),
            Usage(**facts["firmware"]),
            facts["arena_bytes"],
            facts["io_bytes"],
            (),
        )
        return Image(
            path, there[0], there[1], path.with_suffix(".map"), self.target.name, self.job.model,
            facts["sha256"], facts["build"], profile, size, facts["binary_bytes"],
        )  # fmt: skip


def unpack(job: Job, target: Target) -> Packed:
    """Read the samples of a job; raise UsageError if they do not fit its ports."""
    facts = job.facts["ports"]
    tensors = {p["name"]: _tensor(p) for p in (*facts["inputs"], *facts["outputs"])}
    names = {key: tuple(p["name"] for p in facts[key]) for key in ("inputs", "outputs")}
    ports = Graph(job.model, names["inputs"], names["outputs"], tensors, ())
    path = job.folder / "samples.npz"
    samples, answers = [], []
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_SAMPLES_BYTES:
                raise ValueError(f"over {MAX_SAMPLES_BYTES:,} bytes")
        with np.load(path, allow_pickle=False) as stored:
            for number in range(job.facts["samples"]):
                samples.append(_arrays(stored, f"input_{number}", ports.inputs, ports))
                answers.append(_arrays(stored, f"output_{number}", ports.outputs, ports))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path}: not the samples of {job.name}: {error}", HINT) from error
    return Packed(job, target, ports, tuple(samples), tuple(answers))


def _tensor(port: Mapping[str, Any]) -> Tensor:
    return Tensor(port["name"], tuple(port["shape"]), DType(port["dtype"]))


def _arrays(
    stored: Mapping[str, Array], prefix: str, names: tuple[str, ...], ports: Graph
) -> tuple[Array, ...]:
    found = tuple(stored[f"{prefix}_{index}"] for index in range(len(names)))
    for name, array in zip(names, found, strict=True):
        wanted = ports[name]
        if array.shape != wanted.shape or array.dtype != wanted.dtype.numpy:
            raise ValueError(f"{name} is {array.dtype}{list(array.shape)}")
    return found
