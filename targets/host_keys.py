"""The host keys that the user has accepted: shown first, kept in edgec's own known_hosts."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from edgec.pipeline.errors import InfrastructureError
from edgec.targets import ssh_errors
from edgec.targets.devices import SshDevice, known_hosts
from edgec.targets.ssh import CONNECT_S, client_argv
from edgec.targets.toolchain import run


@dataclass(frozen=True, slots=True)
class HostKey:
    """A host's key: `entry` is its line in known_hosts, `before` that of an older key."""

    entry: str
    fingerprint: str
    kind: str
    before: str = ""

    @property
    def changed(self) -> bool:
        """Whether another key is known for this host."""
        return bool(self.before)


def ask_host(device: SshDevice) -> HostKey:
    """Connect as far as the exchange of keys, without logging in, and return the host's key.

    Goes the way ssh goes, through the user's jump hosts and aliases. Raises DeviceError if nothing
    answers.
    """
    with tempfile.TemporaryDirectory(prefix="edgec-") as folder:
        fresh = Path(folder) / "known_hosts"
        argv = client_argv(device, hosts=fresh)
        argv += ["-o", "ControlMaster=no", "-o", "PreferredAuthentications=none"]
        accept = "StrictHostKeyChecking=accept-new"
        argv = [accept if word == "StrictHostKeyChecking=yes" else word for word in argv]
        argv += ["-o", "HashKnownHosts=no", "--", device.host, "true"]
        try:
            done = subprocess.run(
                argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=4 * CONNECT_S,
                check=False, process_group=0,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise InfrastructureError(f"{device}: no host key within {4 * CONNECT_S} s") from error
        lines = fresh.read_text(encoding="utf-8").splitlines() if fresh.is_file() else []
        if not lines:
            raise ssh_errors.not_connected(device, done.stderr.decode(errors="replace"))
        entry = lines[0]
        words = run(["ssh-keygen", "-lf", str(fresh)], timeout_s=20).stdout.split()
    older = [line for line in _lines() if _host(line) == _host(entry)]
    same = any(_key(line) == _key(entry) for line in older)
    return HostKey(entry, words[1], entry.split()[1], "" if same or not older else older[0])


def write_entry(entry: str, path: Path) -> None:
    """Write a file of known hosts that holds one key alone."""
    path.write_text(entry + "\n", encoding="utf-8")


def trust(key: HostKey) -> None:
    """Add a key to edgec's known_hosts, in place of what was known for its host."""
    kept = [line for line in _lines() if _host(line) != _host(key.entry)]
    _write([*kept, key.entry])


def forget(entry_host: str) -> None:
    """Take every key of a host out of edgec's known_hosts."""
    _write([line for line in _lines() if _host(line) != entry_host])


def entry_host(device: SshDevice) -> str:
    """Return the name under which ssh looks a device's key up."""
    told = run([*client_argv(device), "-G", "--", device.host], timeout_s=20).stdout
    facts = dict(line.split(" ", 1) for line in told.splitlines() if " " in line)
    name = facts.get("hostkeyalias") or facts["hostname"]
    if "hostkeyalias" in facts or facts["port"] == "22":
        return name
    return f"[{name}]:{facts['port']}"


def _lines() -> list[str]:
    path = known_hosts()
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def _write(lines: list[str]) -> None:
    path = known_hosts()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _host(line: str) -> str:
    return line.split(" ", 1)[0]


def _key(line: str) -> list[str]:
    return line.split()[1:3]
