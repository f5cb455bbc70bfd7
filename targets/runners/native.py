"""Runs the image as a process of this machine, which speaks over its standard streams."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO

from edgec.pipeline.errors import InfrastructureError, TargetError
from edgec.targets.host_state import PROBE, HostState, parse_state
from edgec.targets.instruction_sets import check_cpu
from edgec.targets.links.base import Endpoint
from edgec.targets.native_cpu import cpu_flags
from edgec.targets.profile import Target
from edgec.targets.script import Script, missing_runtime, plain
from edgec.targets.toolchain import run


def command(image: str, target: Target) -> list[str]:
    """Return the command line, which is the image itself."""
    del target
    return [f"./{image}"]


@contextmanager
def start(image: Path, target: Target) -> Iterator[Endpoint]:
    """Start the process; it is killed on leaving, whatever the reason.

    Raises DeviceError if this machine lacks an instruction set that the target needs.
    """
    _check_options(target)
    check_cpu("this machine", target, cpu_flags(), otherwise="build with --no-verify")
    with running([str(image.resolve())]) as process:
        yield Endpoint(process=process, observe=_observer(target))


def observed(target: Target) -> Target:
    """Return a target of this machine that is measured with care: warmed up, its state read."""
    return replace(target, runner_options={**target.runner_options, "observe": 1})


def _observer(target: Target) -> Callable[[], HostState] | None:
    return _state if target.runner_options.get("observe") else None


def _state() -> HostState:
    """Return the state of this machine now."""
    return parse_state(run(["sh", "-c", PROBE], timeout_s=20, failure=InfrastructureError).stdout)


@contextmanager
def start_script(script: Script, target: Target) -> Iterator[Endpoint]:
    """Start a program with the Python that runs edgec, which has edgec's runtimes."""
    words = [str(script.file.resolve()), script.runtime.name, *map(str, script.arguments)]
    with tempfile.TemporaryFile() as said:
        try:
            with running([sys.executable, *words], said) as process:
                yield Endpoint(process=process, observe=_observer(target))
        except InfrastructureError as error:
            said.seek(0)
            text = said.read(65536).decode(errors="replace")
            last = plain((text.strip().splitlines() or ["it said nothing"])[-1])
            why = InfrastructureError(f"{error.message}: {last}", error.hint)
            raise (missing_runtime(text, script, "this machine") or why) from error


@contextmanager
def running(
    argv: Sequence[str], stderr: IO[bytes] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program with pipes to it, and kill it on leaving."""
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=stderr)
    except OSError as error:
        raise InfrastructureError(f"cannot start {argv[0]}: {error.strerror}") from error
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                # Unsent bytes of a killed process have nowhere to go.
                with suppress(BrokenPipeError):
                    stream.close()


def _check_options(target: Target) -> None:
    options = sorted(set(target.runner_options) - {"observe"})
    if options:
        raise TargetError(f"{target.name}: runner native takes no options; got {options}")
