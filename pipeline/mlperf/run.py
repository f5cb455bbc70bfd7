"""`edgec bench --mlperf`: a session with a device, its files, and what it came to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from edgec.codegen.mlperf import TASKS, Task
from edgec.pipeline.errors import MeasurementError, UsageError
from edgec.pipeline.mlperf.dataset import open_dataset
from edgec.pipeline.mlperf.files import SessionFiles
from edgec.pipeline.mlperf.scores import Scores, need_sklearn
from edgec.pipeline.mlperf.session import Session
from edgec.targets.links.base import Link
from edgec.targets.mlperf_device import Identity, MlperfDevice
from edgec.targets.profile import Target
from edgec.targets.runners.base import find_runner
from edgec.targets.session import answering
from edgec.targets.toolchain import Image

Mode = Literal["performance", "accuracy"]


@runtime_checkable
class SpeaksMlperf(Protocol):
    """What a backend built, if its firmware can speak the benchmark's protocol."""

    target: Target

    @property
    def mlperf_task(self) -> str:
        """The benchmark's name of the model; empty if it is none of its tasks."""

    def mlperf_image(self) -> Image:
        """Compile and link the firmware that does."""


@dataclass(frozen=True, slots=True)
class MlperfResult:
    """What a session came to; one of `throughput` and `scores` is there.

    `emulated` names the emulator by whose virtual time the throughput is: no latency of anything.
    """

    mode: Mode
    model: str
    target: str
    device: Identity
    emulated: str
    folder: Path
    windows: tuple[float, ...] = ()
    throughput: float | None = None
    scores: Scores | None = None
    retries: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return asdict(self) | {"folder": str(self.folder)}


def run_session(
    built: object,
    mode: Mode,
    dataset: Path,
    sessions: Path,
    progress: Callable[[int, int], None] | None = None,
) -> MlperfResult:
    """Build the firmware, put it on the target's device, hold a session with it, write its files.

    Raises UsageError for a model that is none of the benchmark's.
    """
    if not isinstance(built, SpeaksMlperf):
        raise UsageError("this backend's firmware does not speak MLPerf Tiny", "use --backend aot")
    task = next((task for task in TASKS if task.model == built.mlperf_task), None)
    if task is None:
        known = ", ".join(f"{t.model} ({t.inputs} to {t.outputs})" for t in TASKS)
        raise UsageError(
            f"the model is none of MLPerf Tiny's: one int8 input and output wanted, of {known}"
        )
    data = open_dataset(dataset, task)
    if mode == "accuracy":
        need_sklearn()
    with open_mlperf(built.mlperf_image(), built.target, task) as (device, emulated):
        files = SessionFiles(sessions)
        session = Session(device, data, emulated, files.log)
        result = MlperfResult(
            mode, task.model, built.target.name, device.identity, emulated, files.folder
        )
        try:
            result = _held(session, files, result, progress)
        except MeasurementError as error:
            files.score(f"ERROR - {error.message}")
            raise
        finally:
            files.details(session, mode)
    return replace(result, retries=device.retries)


@contextmanager
def open_mlperf(image: Image, target: Target, task: Task) -> Iterator[tuple[MlperfDevice, str]]:
    """Start the image; yield the device, and the name of what emulates it if anything does."""

    def greet(link: Link) -> MlperfDevice:
        device = MlperfDevice(link, timer_hz=endpoint.timer_hz)
        device.expect(task.model, image.model_sha256, image.build)
        return device

    with (
        find_runner(target.runner).start(image.elf, target) as endpoint,
        answering(target.link, endpoint, greet) as device,
    ):
        virtual = endpoint.instruction_ns is not None or device.identity.timer == "virtual"
        yield device, endpoint.emulator or ("QEMU" if virtual else "")


def _held(
    session: Session,
    files: SessionFiles,
    result: MlperfResult,
    progress: Callable[[int, int], None] | None,
) -> MlperfResult:
    identity = session.device.identity
    files.log(f"Device name retrieved: {identity.name}")
    files.log(f"Device profile retrieved: {identity.profile}")
    files.log(f"Device model retrieved: {identity.model}")
    note = ""
    if session.emulated:
        note = f"[emulated by {session.emulated}: virtual time, no latency, not for submission] "
        files.log(note.strip())
    if result.mode == "performance":
        throughput = session.performance(progress)
        rule = "-" * 57
        for line in (rule, f"{note}Median throughput is {throughput:>10.3f} inf./sec.", rule):
            files.score(line)
        windows = tuple(one.throughput for one in session.measured)
        return replace(result, throughput=throughput, windows=windows)
    scores = session.accuracy(progress)
    files.score(f"Top 1% = {scores.accuracy:2.1f}")
    files.score(
        "AUC is not defined: a sample of each class is wanted"
        if scores.auc is None
        else f"AUC = {scores.auc:.3f}"
    )
    return replace(result, scores=scores)
