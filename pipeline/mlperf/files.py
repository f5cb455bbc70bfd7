"""The files that a session of the official runner leaves, by which a submission is checked."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from edgec.pipeline.errors import UsageError
from edgec.pipeline.mlperf.session import Measured, Session

Clock = Callable[[], datetime]

# The letter by which the official runner knows a mode.
LETTERS = {"performance": "p", "accuracy": "a"}


class SessionFiles:
    """A folder sessions/YYYYMMDD_HHMMSS with log.txt, results.txt and results.json."""

    def __init__(self, sessions: Path, clock: Clock = datetime.now) -> None:
        self._clock = clock
        self.folder = _new_folder(sessions, f"{clock():%Y%m%d_%H%M%S}")

    def log(self, text: str) -> None:
        """Append a line to log.txt, after the time as the runner writes it."""
        self._append("log.txt", text)

    def score(self, text: str) -> None:
        """Append a line that the submission checker looks for, to log.txt and results.txt."""
        self.log(text)
        self._append("results.txt", text)

    def details(self, session: Session, mode: str) -> None:
        """Write every inference to results.json."""
        facts = [_facts(one, session, mode) for one in session.measured]
        path = self.folder / "results.json"
        path.write_text(json.dumps(facts) + "\n", encoding="utf-8")

    def _append(self, name: str, text: str) -> None:
        with (self.folder / name).open("a", encoding="utf-8", newline="\n") as file:
            file.write(f"{self._clock():%m%d.%H%M%S} ulp-mlperf: {text}\n")


def _new_folder(sessions: Path, name: str) -> Path:
    """Make the folder; a second session within a second gets a name of its own."""
    for number in range(100):
        folder = sessions / (f"{name}_{number}" if number else name)
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise UsageError(f"{folder}: cannot be made: {error.strerror}") from error
        return folder
    raise UsageError(f"{sessions / name}: there are a hundred of these")


def _facts(one: Measured, session: Session, mode: str) -> dict[str, Any]:
    entry, inference = one.entry, one.inference
    infer: dict[str, Any] = {
        "results": list(inference.results),
        "start_time": inference.start_us,
        "end_time": inference.end_us,
        "elapsed_time": inference.elapsed_us,
        "total_inferences": 1,
        "iterations": one.iterations,
        "warmups": one.warmup,
    }
    if mode == "performance":
        infer["throughput"] = one.throughput
    facts: dict[str, Any] = {
        "file": entry.file,
        "classes": entry.classes,
        "class": str(entry.label),
        "bytes_to_send": None if entry.window is None else str(entry.window),
        "stride": None if entry.stride is None else str(entry.stride),
        "infer": infer,
        "mode": LETTERS[mode],
    }
    return facts | ({"emulated": session.emulated} if session.emulated else {})
