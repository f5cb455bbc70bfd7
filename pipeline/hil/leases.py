"""Who may use which board: one job a board, in this process, on this machine and in labgrid."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from edgec.pipeline.errors import DeviceError, EdgecError, InfrastructureError
from edgec.pipeline.hil.manifest import Job
from edgec.targets.lab import Lab, LabBoard
from edgec.targets.labgrid_client import leased_place
from edgec.targets.locks import held

POLL_S = 0.5


class NoBoardError(DeviceError):
    """No board of the lab may run a job: there is none, or all are quarantined or sick."""


@dataclass(slots=True)
class Pool:
    """The boards of a lab during one run. `quarantined` says why of boards that stay out of it.

    `sick` fills with boards that failed, and why; nothing more is tried on them.
    """

    lab: Lab
    quarantined: Mapping[str, str]
    sick: dict[str, str] = field(default_factory=dict)
    _ours: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, job: Job) -> list[LabBoard]:
        """Return the boards that a job may run on: the one it names, or all of its type."""
        return [
            board
            for board in self.lab.boards
            if board.type == job.target and job.board in ("", board.name)
        ]

    def names(self, job: Job) -> tuple[str, ...]:
        """Return the names of those."""
        return tuple(board.name for board in self.of(job))

    @contextmanager
    def lease(self, job: Job, tried: Collection[str], wait_s: float) -> Iterator[LabBoard]:
        """Hold a free board for a job until leaving; not one that it was `tried` on.

        Raises NoBoardError if there is none left, InfrastructureError if others have them all for
        `wait_s`.
        """
        deadline = time.monotonic() + wait_s
        with ExitStack() as stack:
            while True:
                boards = self._left(job, tried)
                board = _take_here([b for b in boards if not b.place], stack)
                if board is None and any(b.place for b in boards):
                    left = max(deadline - time.monotonic(), 0)
                    board = self._take_place([b for b in boards if b.place], left, stack)
                if board is not None:
                    break
                if any(b.name in self._ours for b in boards):
                    deadline = time.monotonic() + wait_s  # only others' use counts
                if time.monotonic() > deadline:
                    raise InfrastructureError(
                        f"no board for {job.name} became free within {wait_s:g} s: others have "
                        f"{', '.join(b.name for b in boards)}",
                        "give it more time with --wait",
                    )
                time.sleep(POLL_S)
            self._ours.add(board.name)
            stack.callback(self._ours.discard, board.name)
            yield board

    def set_aside(self, board: LabBoard, why: str) -> None:
        """Use a board no more in this run."""
        with self._lock:
            self.sick[board.name] = why

    def _left(self, job: Job, tried: Collection[str]) -> list[LabBoard]:
        boards = self.of(job)
        if not boards:
            wanted = f"named {job.board!r} " if job.board else ""
            raise NoBoardError(f"{self.lab.name} has no board {wanted}of type {job.target}")
        awake = [board for board in boards if board.name not in self.quarantined]
        if not awake:
            whys = [f"{board.name}: {self.quarantined[board.name]}" for board in boards]
            raise NoBoardError(f"every board that fits is quarantined: {'; '.join(whys)}")
        with self._lock:
            left = [b for b in awake if b.name not in self.sick and b.name not in tried]
        if not left:
            raise NoBoardError(
                f"no healthy board is left of {', '.join(board.name for board in awake)}"
            )
        return left

    def _take_place(
        self, boards: Collection[LabBoard], wait_s: float, stack: ExitStack
    ) -> LabBoard | None:
        """Wait in labgrid's queue for one of its places; None if that takes too long."""
        assert self.lab.labgrid is not None
        named = {board.place: board for board in boards}
        deadline = time.monotonic() + wait_s
        with ExitStack() as trial:
            try:
                place = trial.enter_context(leased_place(self.lab.labgrid, list(named), wait_s))
                board = named[place.name]
                # The place is ours; somebody may still use the board without labgrid.
                left = max(deadline - time.monotonic(), 0)
                trial.enter_context(held(board.key, wait_s=left))
            except EdgecError as error:
                if error.name == "probe-busy":
                    return None
                raise
            stack.push(trial.pop_all())
            # What is emulated starts here, whatever serial port the place may have.
            console = place.console if board.target.board is not None else ""
            return replace(board, console=board.console or console)


def _take_here(boards: Collection[LabBoard], stack: ExitStack) -> LabBoard | None:
    """Take the first board that nobody on this machine has; None if there is none."""
    for board in boards:
        try:
            stack.enter_context(held(board.key))
        except InfrastructureError as error:
            if error.name != "probe-busy":
                raise
        else:
            return board
    return None
