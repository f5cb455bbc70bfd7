"""What a backend is: one way from a model to something that a device runs. One module here each."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Protocol, cast

from edgec.pipeline.errors import UsageError
from edgec.pipeline.graph import Interface
from edgec.pipeline.oracle import Oracle, Sample
from edgec.pipeline.report.result import Result
from edgec.pipeline.subject import Subject
from edgec.pipeline.verify import Tolerance
from edgec.targets.bench import BenchResult
from edgec.targets.profile import Target
from edgec.targets.toolchain import Image

AUTO = "auto"


class Built(Protocol):
    """A model as a backend built it for a target, ready to be tried on a device.

    The contract of its answers is `oracle` (a fresh one each time) and `allowed`.
    """

    @property
    def target(self) -> Target:
        """What it was built for."""

    @property
    def ports(self) -> Interface:
        """The inputs that a device takes and the outputs that it gives."""

    @property
    def oracle(self) -> Oracle:
        """What its answers are compared with."""

    @property
    def allowed(self) -> Tolerance:
        """How far they may be from that."""

    def planned(self) -> Result:
        """Return what is known before anything ran."""

    def image(self) -> Image:
        """Return what is started on the device, compiled first if need be."""

    def profile_image(self) -> Image | None:
        """Return an image that times each layer; None where there is none."""

    def on_host(self, folder: Path) -> Built | None:
        """Return the same built for this machine in an empty folder, None if this is that."""

    def explain(self, sample: Sample) -> str:
        """Say what is wrong first when a device answers a sample wrongly; empty if unknown."""

    def measured(self, result: Result, bench: BenchResult) -> Result:
        """Return the result with what the device measured."""


class Backend(Protocol):
    """The functions a backend module defines."""

    def refusal(self, subject: Subject) -> str:
        """Return why this backend cannot build the subject; empty if it may."""

    def build(self, subject: Subject, folder: Path) -> Built:
        """Write everything that is to be in the bundle to `folder`.

        Called for a finished bundle too, to verify or measure it again: the same subject must give
        the same files. Raises a subclass of EdgecError.
        """


def abstention(name: str, subject: Subject) -> str:
    """Return why a backend that could build a subject stays out of contests, or nothing.

    A module says so in an optional function, `abstains(subject)`.
    """
    says = getattr(find_backend(name), "abstains", None)
    return str(says(subject)) if says is not None else ""


def find_backend(name: str) -> Backend:
    """Return the backend that the module `backends/<name>.py` implements."""
    module = f"edgec.pipeline.backends.{name}"
    if not name.isidentifier() or name == "base" or importlib.util.find_spec(module) is None:
        raise UsageError(f"unknown backend {name!r}", f"known: {', '.join(backend_names())}")
    return cast(Backend, importlib.import_module(module))


def backend_names() -> list[str]:
    """Return the names of the backends that there are, sorted."""
    found = (path.stem for path in Path(__file__).parent.glob("*.py"))
    return sorted(name for name in found if name not in ("__init__", "base"))


def usual_backend(target: Target) -> str:
    """Return what builds for a target where nothing else is asked for."""
    return target.backends[0]
