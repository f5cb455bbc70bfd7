"""Runs the image as a process of this machine, which speaks over its standard streams."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edgec.pipeline.errors import InfrastructureError
from edgec.targets.links.base import Endpoint
from edgec.targets.profile import Target


def command(image: str, target: Target) -> list[str]:
    """Return the command line, which is the image itself."""
    del target
    return [f"./{image}"]


@contextmanager
def start(image: Path, target: Target) -> Iterator[Endpoint]:
    """Start the process; it is killed on leaving, whatever the reason."""
    del target
    try:
        process = subprocess.Popen(
            [str(image.resolve())], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
    except OSError as error:
        raise InfrastructureError(f"cannot start {image}: {error.strerror}") from error
    try:
        yield Endpoint(process=process)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                # Unsent bytes of a killed process have nowhere to go.
                with suppress(BrokenPipeError):
                    stream.close()
