"""A labgrid of one's own on the loopback: coordinator, exporter, and places."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Site:
    """A running coordinator at `address`; `bin` has labgrid's programs."""

    bin: Path
    address: str
    log: Path

    def client(self, *words: str) -> str:
        """Run labgrid-client."""
        argv = [str(self.bin / "labgrid-client"), "-x", self.address, *words]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout

    def history(self, place: str) -> list[str]:
        """What the coordinator says happened to a place: acquired, released, …"""
        said = re.findall(rf"^{place}: place (acquired|released)", self.log.read_text(), re.M)
        return list(said)

    def taken(self) -> list[str]:
        """The places that somebody has."""
        return [line.split()[2] for line in self.client("who").splitlines()[1:]]


@contextmanager
def labgrid_site(
    python: Path, folder: Path, places: Sequence[str], serial: str = ""
) -> Iterator[Site]:
    """Run a coordinator and an exporter with a service for each place, in an empty folder.

    The place `serial` has a serial port on the network instead.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    folder.mkdir()
    services = [
        f'{name}:\n  NetworkService:\n    address: "127.0.0.1"\n    username: "nobody"\n'
        for name in places
    ]
    if serial:
        port = 'host: "127.0.0.1"\n    port: 4001\n    protocol: "raw"\n'
        services.append(f"{serial}:\n  NetworkSerialPort:\n    {port}")
    (folder / "exporter.yaml").write_text("".join(services))
    site = Site(python.parent, address, folder / "coordinator.log")
    with ExitStack() as stack:
        _start(stack, folder, site.log, python.parent / "labgrid-coordinator", "-l", address)
        _wait(lambda: "Coordinator ready" in site.log.read_text())
        log = folder / "exporter.log"
        exporter = python.parent / "labgrid-exporter"
        _start(stack, folder, log, exporter, "-c", address, "-n", "desk", "exporter.yaml")
        _wait(lambda: site.client("resources").count("NetworkService") == len(places))
        for name in (*places, *filter(None, [serial])):
            site.client("-p", name, "create")
            site.client("-p", name, "add-match", f"desk/{name}/*")
        yield site


def _start(stack: ExitStack, folder: Path, log: Path, *argv: Path | str) -> None:
    process = subprocess.Popen(
        [str(word) for word in argv],
        cwd=folder,
        env={"PYTHONUNBUFFERED": "1", "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=stack.enter_context(log.open("w")),
        stderr=subprocess.STDOUT,
    )

    def stop() -> None:
        process.terminate()
        process.wait(timeout=20)

    stack.callback(stop)


def _wait(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < deadline, "labgrid did not start"
        time.sleep(0.2)
