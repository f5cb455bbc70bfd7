"""A real SSH server on the loopback, with keys that live as long as a test module."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from edgec.targets.device_protocol import Device
from edgec.targets.devices import SshDevice, save_device
from edgec.targets.profile import load_target
from edgec.targets.runners.base import leash
from edgec.targets.runners.ssh import reached_by_ssh
from edgec.targets.session import open_device
from edgec.targets.toolchain import Image

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"
QEMU = ("qemu-aarch64", "-cpu", "cortex-a72")


def open_there(image: Image, device: str = "pi") -> AbstractContextManager[Device]:
    """Run an image on a device as `edgec bench --ssh` does."""
    return open_device(image, reached_by_ssh(load_target(image.target), device))


class SshServer:
    """A running server; its sessions keep edgec's files in `cache` and have `bin` on their PATH."""

    def __init__(self, root: Path, port: int) -> None:
        self.root = root
        self.port = port
        self.cache = root / "cache"
        self.bin = root / "bin"
        self.identity = root / "identity"

    @property
    def host(self) -> str:
        return f"{getpass.getuser()}@127.0.0.1"

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def host_key(self) -> str:
        return (self.root / "host_key.pub").read_text().rsplit(" ", 1)[0]

    @property
    def fingerprint(self) -> str:
        return capture("ssh-keygen", "-lf", str(self.root / "host_key.pub")).split()[1]

    def known(self, key: str = "") -> str:
        """The line of known_hosts for this server, or for another key in its place."""
        return f"[127.0.0.1]:{self.port} {key or self.host_key}\n"

    def keep(self, config: Path, name: str = "pi", key: str = "", **facts: object) -> SshDevice:
        """Write what `edgec device add` would have written."""
        config.mkdir(parents=True, exist_ok=True)
        (config / "known_hosts").write_text(self.known(key))
        known = {"port": self.port, "identity": str(self.identity), **facts}
        device = SshDevice(name, self.host, **known)  # type: ignore[arg-type]
        save_device(device)
        return device

    def leases(self, folder: Path | None = None) -> list[Path]:
        return sorted((folder or self.cache / "edgec").glob("leases/*"))

    def images(self) -> list[Path]:
        return sorted((self.cache / "edgec" / "images").glob("*"))

    def processes(self) -> list[int]:
        """What still runs for a session, which has this server's folder in its environment."""
        mark = f"XDG_CACHE_HOME={self.cache}".encode()
        return [pid for pid in pids() if mark in environment(pid)]

    def firmware(self) -> list[int]:
        """Processes that run an image."""
        return [pid for pid in self._of_images() if not program(pid).startswith(b"sh\0")]

    def shells(self) -> list[int]:
        """Shells that wait for one."""
        return [pid for pid in self._of_images() if program(pid).startswith(b"sh\0")]

    def _of_images(self) -> list[int]:
        return [pid for pid in self.processes() if b"/images/" in program(pid)]

    def left(self) -> dict[str, object]:
        """What is left of finished sessions, after a while for it to go; should be empty."""
        found: dict[str, object] = {}
        for _ in range(100):
            found = {"leases": self.leases(), "processes": self.processes()}
            found = {what: there for what, there in found.items() if there}
            if not found:
                break
            time.sleep(0.1)
        return found

    def cut(self) -> None:
        """Kill the server's side of every connection, as a cut cable would."""
        for pid in pids():
            if f"sshd: {getpass.getuser()}@".encode() in program(pid) and self._owns(pid):
                os.kill(pid, 9)

    def _owns(self, pid: int) -> bool:
        while pid > 1:
            pid = parent(pid)
            if pid == self.pid:
                return True
        return False

    pid = 0


@contextmanager
def ssh_server(root: Path, settings: Sequence[str] = ()) -> Iterator[SshServer]:
    """Start a server on a free port; its keys and its sessions' files are under `root`."""
    root.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = SshServer(root, probe.getsockname()[1])
    server.bin.mkdir()
    for name in ("host_key", "identity"):
        capture("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(root / name))
    shutil.copy(root / "identity.pub", root / "authorized_keys")
    config = [
        f"Port {server.port}",
        "ListenAddress 127.0.0.1",
        f"HostKey {root}/host_key",
        f"AuthorizedKeysFile {root}/authorized_keys",
        "PidFile none",
        "UsePAM no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "StrictModes no",
        "MaxStartups 100",
        f"SetEnv XDG_CACHE_HOME={server.cache} PATH={server.bin}:{os.environ['PATH']}",
        *settings,
    ]
    (root / "sshd_config").write_text("\n".join(config) + "\n")
    with (root / "log").open("wb") as log:
        process = subprocess.Popen(
            [*leash(), SSHD, "-D", "-e", "-f", str(root / "sshd_config")],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    server.pid = process.pid
    try:
        _wait(server, process)
        yield server
    finally:
        process.kill()
        process.wait()


def _wait(server: SshServer, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", server.port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError((server.root / "log").read_text())


def capture(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def pids() -> list[int]:
    """Every process that is not dead already."""
    return [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and not _dead(p)]


def _dead(process: Path) -> bool:
    try:
        return process.joinpath("stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def program(pid: int) -> bytes:
    return _read(pid, "cmdline")


def environment(pid: int) -> bytes:
    return _read(pid, "environ")


def parent(pid: int) -> int:
    stat = _read(pid, "stat").decode(errors="replace")
    return int(stat.rpartition(")")[2].split()[1]) if stat else 0


def _read(pid: int, what: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{what}").read_bytes()
    except OSError:
        return b""
