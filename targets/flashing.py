"""Runs a flash tool: with a time limit, a second chance where one may help, and named failures."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from edgec.pipeline.errors import EdgecError, ToolMissingError
from edgec.targets.flash_failures import FAILURES, failed
from edgec.targets.flash_tool import Command, FlashTool, Job, program_path

TIMEOUT_S = 60.0

SAID_LINES = 12
"""How many of the tool's last lines an error shows."""

PAUSE_S = 0.5
"""Between a failure and the next try: USB devices need a while to come back."""

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Flashed:
    """That a tool did what it was told: after how many `attempts`, and how long it took."""

    tool: str
    attempts: int
    gentle: bool
    seconds: float


def run_tool(
    tool: FlashTool,
    what: str,
    job: Job,
    where: str,
    *,
    note: Note | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Flashed:
    """Let a tool `flash`, `erase` or `reset` a board; `where` names the board in errors.

    What may be an accident is tried again, once the same and once under reset and slowly if the
    tool can. A locked chip is not: nothing but `job.unlock` opens it. `note` is told of a retry.
    Raises ToolMissingError, UsageError, or the error of the named failure.
    """
    tool.check(job)
    if program_path(tool.program) is None:
        raise ToolMissingError(f"{tool.program} is not installed", tool.install, "tool-missing")
    ready = tool.prepare(job) if tool.prepare is not None and what == "flash" else job
    tries = [ready, ready] if tool.repeats else [ready]
    if tool.repeats and "gentle" in tool.can:
        tries.append(replace(ready, gentle=True))
    begun = time.monotonic()
    for number, attempt in enumerate(tries, 1):
        try:
            _try(tool, what, attempt, f"{where}: {tool.name}", timeout_s)
        except EdgecError as error:
            failure = FAILURES.get(error.name)
            if failure is None or not failure.again or number == len(tries):
                raise
            if note is not None:
                how = ", under reset and slowly" if tries[number].gentle else ""
                note(f"{failure.message}: trying again{how}")
            time.sleep(PAUSE_S)
        else:
            return Flashed(tool.name, number, attempt.gentle, time.monotonic() - begun)
    raise AssertionError("the last try either returns or raises")


def _try(tool: FlashTool, what: str, job: Job, where: str, timeout_s: float) -> None:
    """Run a tool's command lines; raise the error of the failure that their output tells of."""
    printed = ""
    for command in tool.commands(what, job):
        code, output = _run(command, timeout_s)
        printed += output
        if code is None:
            raise failed("timeout", where, said=_end(output))
        if code != 0 and not (what == "flash" and tool.forgiven(output)):
            raise failed(tool.failure(output), where, said=_end(output), vendors=tool.vendors)
    if what == "flash" and not tool.proves(printed):
        raise failed(tool.failure(printed), where, said=_end(printed), vendors=tool.vendors)


def _end(output: str) -> str:
    return "\n".join(output.strip().splitlines()[-SAID_LINES:])


def _run(command: Command, timeout_s: float) -> tuple[int | None, str]:
    """Run one command line, its script written to a file first."""
    with tempfile.TemporaryDirectory(prefix="edgec-") as folder:
        script = Path(folder) / "script"
        if command.script:
            script.write_text(command.script, encoding="utf-8")
        argv = [str(script) if word == "{script}" else word for word in command.argv]
        return _captured(argv, command.folder or None, timeout_s)


def _captured(argv: list[str], folder: str | None, timeout_s: float) -> tuple[int | None, str]:
    """Return exit code and output of a command; no code if it was ended for taking too long."""
    environment = {**os.environ, "LC_ALL": "C", "NO_COLOR": "1"}
    process = subprocess.Popen(
        [program_path(argv[0]) or argv[0], *argv[1:]],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # Its own group, so that what it started ends with it.
        process_group=0,
    )
    try:
        output, _ = process.communicate(timeout=timeout_s)
        return process.returncode, output.decode(errors="replace")
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return None, output.decode(errors="replace")
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
