"""Runs the image as a process of this machine, which speaks over its standard streams."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from edgec.pipeline.errors import DeviceError, InfrastructureError, TargetError
from edgec.targets.links.base import Endpoint
from edgec.targets.native_cpu import cpu_flags
from edgec.targets.profile import Target


def command(image: str, target: Target) -> list[str]:
    """Return the command line, which is the image itself."""
    del target
    return [f"./{image}"]


@contextmanager
def start(image: Path, target: Target) -> Iterator[Endpoint]:
    """Start the process; it is killed on leaving, whatever the reason.

    Raises DeviceError if this machine lacks an instruction set that the target needs.
    """
    _check_cpu(target)
    with running([str(image.resolve())]) as process:
        yield Endpoint(process=process)


@contextmanager
def running(argv: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program with pipes to it, and kill it on leaving."""
    try:
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
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


def _check_cpu(target: Target) -> None:
    """Raise DeviceError unless the CPU has every flag that `needs` of the profile lists."""
    options = dict(target.runner_options)
    needs = options.pop("needs", "")
    if options or not isinstance(needs, str):
        raise TargetError(
            f'{target.name}: runner native takes one option, needs = "…"; got '
            f"{sorted(target.runner_options)}"
        )
    if not needs:
        return
    missing = sorted(set(needs.split()) - cpu_flags())
    if missing:
        raise DeviceError(
            f"this machine has no {', '.join(missing)}, which {target.name} needs",
            "build with --no-verify, or choose a lower level",
        )
