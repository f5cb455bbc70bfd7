"""The process link: standard input and output of a program that plays the device."""

from __future__ import annotations

import os
import select
from subprocess import Popen

from edgec.pipeline.errors import InfrastructureError
from edgec.targets.links.base import Endpoint, Link


class ProcessLink:
    """The pipes of a running process; the runner that started it ends it."""

    def __init__(self, process: Popen[bytes]) -> None:
        if process.stdin is None or process.stdout is None:
            raise InfrastructureError("the device process has no pipes")
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout

    def read(self, timeout_s: float) -> bytes:
        """Return whatever has arrived within the timeout."""
        ready, _, _ = select.select([self._stdout], [], [], timeout_s)
        if not ready:
            return b""
        data = os.read(self._stdout.fileno(), 65536)
        if not data:
            raise InfrastructureError(f"the device process ended{self._exit()}")
        return data

    def write(self, data: bytes) -> None:
        """Send all of `data`."""
        try:
            self._stdin.write(data)
            self._stdin.flush()
        except OSError as error:
            raise InfrastructureError(f"the device process ended{self._exit()}") from error

    def close(self) -> None:
        """Close the input, which tells the process to end."""
        try:
            self._stdin.close()
        except OSError:
            # What was buffered for a process that is gone is lost with it.
            return

    def _exit(self) -> str:
        code = self._process.poll()
        return "" if code is None else f" with exit code {code}"


def connect(endpoint: Endpoint) -> Link:
    """Talk to the process the runner started."""
    if endpoint.process is None:
        raise InfrastructureError("the process link needs a runner that starts a process")
    return ProcessLink(endpoint.process)
