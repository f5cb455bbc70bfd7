"""What went wrong on the way to a computer that SSH reaches, from what ssh and the shell said."""

from __future__ import annotations

import re
import signal
from typing import IO

from edgec.pipeline.errors import DeviceError, EdgecError, InfrastructureError
from edgec.targets.devices import SshDevice, known_hosts
from edgec.targets.script import plain

_ABSENT = re.compile(
    r"Connection refused|Connection timed out|Operation timed out|No route to host"
    r"|Could not resolve hostname|Network is unreachable|Host is down"
)
_FULL = re.compile(r"No space left on device|Disk quota exceeded")
_EXIT = re.compile(r"^edgec-exit (\d+)$", re.MULTILINE)
_MISSING = re.compile(r"^edgec-missing (.*)$", re.MULTILINE)


def read_log(log: IO[bytes]) -> str:
    """Return what a process wrote to a temporary file."""
    log.seek(0)
    return log.read(65536).decode(errors="replace").strip()


def not_connected(device: SshDevice, said: str) -> EdgecError:
    """Return the error of a connection that did not come about."""
    add = f"edgec device add {device.name or 'NAME'} {device.address}"
    if "IDENTIFICATION HAS CHANGED" in said:
        return InfrastructureError(
            f"{device}: the host key is not the one in {known_hosts()}",
            f"somebody may be in between; if the device was set up anew, run {add}",
        )
    if "Host key verification failed" in said or "host key is known" in said:
        return InfrastructureError(
            f"{device}: the host key is not known",
            f"{add}, which shows the key's fingerprint and asks",
        )
    if "Permission denied (" in said:
        return InfrastructureError(
            f"{device}: the login was refused, and no password is asked for",
            f"ssh-copy-id {device.host}, or give the device an identity",
        )
    if _ABSENT.search(said):
        return DeviceError(
            f"{device}: no answer: {_last_line(said)}", "is it on, and the address right?"
        )
    return failed(device, said)


def failed(device: SshDevice, said: str) -> EdgecError:
    """Return the error of a command that failed over a connection that stands."""
    if _FULL.search(said):
        return InfrastructureError(
            f"{device}: the disk is full: {_last_line(said)}",
            "make room there, or give the device another folder",
        )
    return InfrastructureError(f"{device}: {_last_line(said)}")


def lost(device: SshDevice, said: str) -> EdgecError:
    """Return the error of a connection that broke."""
    why = f": {_last_line(said)}" if said else ""
    return InfrastructureError(f"{device}: the connection was lost{why}", "try again")


def ended(device: SshDevice, machine: str, said: str) -> EdgecError | None:
    """Return the error of a program that ended by itself; None if nothing says that it did."""
    missing = _MISSING.search(said)
    if missing:
        program = plain(missing[1])
        return InfrastructureError(
            f"{device}: the program {program!r}, which is to run ours, is not installed there",
            "install it there, or take exec_prefix and cpus out of the device's file",
        )
    code = _EXIT.search(said)
    if code is None:
        return None
    words = _last_line(_EXIT.sub("", said))
    if code[1] in ("126", "127"):
        return InfrastructureError(
            f"{device}, a {machine}, cannot run the program: {words}",
            "is the target right, and may files be executed in the folder there?",
        )
    number = int(code[1]) - 128
    if number in set(signal.Signals):
        name = signal.Signals(number).name
        hint = "the CPU lacks an instruction of the target" if name == "SIGILL" else ""
        return InfrastructureError(f"{device}: the program was killed by {name}", hint)
    return InfrastructureError(f"{device}: the program ended with exit code {code[1]}: {words}")


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return plain(lines[-1]) if lines else "it said nothing"
