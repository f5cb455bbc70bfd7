"""The user's own devices that SSH reaches: a TOML file each in the config folder."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from edgec.pipeline.errors import DeviceError, UsageError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
# What is given to ssh as a host must not look like an option of it.
_CPUS = re.compile(r"[0-9]+([,-][0-9]+)*")
_ADDRESS = re.compile(
    r"(?P<host>(?:[A-Za-z_][\w.+-]*@)?(?:[A-Za-z0-9][\w.-]*|\[[0-9A-Fa-f:.]+(?:%\w+)?\]))"
    r"(?::(?P<port>[0-9]{1,5}))?"
)


@dataclass(frozen=True, slots=True)
class SshDevice:
    """A computer that SSH reaches; `name` is empty where only an address was given.

    `exec_prefix` are the words before a program that is run there, as an emulator's. `folder` is
    where edgec keeps its files there, the user's cache folder if it is empty. `cpus` are the cores
    that a program may run on, as for taskset. `python` is what runs programs in Python.
    """

    name: str
    host: str
    port: int | None = None
    identity: str = ""
    exec_prefix: tuple[str, ...] = ()
    folder: str = ""
    cpus: str = ""
    python: str = "python3"

    @property
    def prefix(self) -> tuple[str, ...]:
        """Every word before a program that is run there."""
        return (*(("taskset", "-c", self.cpus) if self.cpus else ()), *self.exec_prefix)

    @property
    def address(self) -> str:
        """The host as it was given, with the port if there is one."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.name} ({self.address})" if self.name else self.address


def config_folder() -> Path:
    """Return the folder of the user's settings: EDGEC_CONFIG_DIR, or where XDG has it."""
    own = os.environ.get("EDGEC_CONFIG_DIR")
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(own) if own else Path(base) / "edgec"


def known_hosts() -> Path:
    """Return the file of the host keys that the user has accepted for edgec."""
    return config_folder() / "known_hosts"


def device_names() -> list[str]:
    """Return the names of the user's devices, sorted."""
    return sorted(path.stem for path in _folder().glob("*.toml"))


def parse_address(text: str) -> tuple[str, int | None]:
    """Return host and port of USER@HOST[:PORT]; an IPv6 address is in brackets."""
    match = _ADDRESS.fullmatch(text)
    port = int(match["port"]) if match and match["port"] else None
    if match is None or port == 0 or (port or 0) > 65535:
        raise UsageError(f"{text!r} is not an address", "write USER@HOST or USER@HOST:PORT")
    return match["host"], port


def find_device(name_or_address: str) -> SshDevice:
    """Return a device of the user by its name, or one that has only an address.

    Raises DeviceError for a name that no device has.
    """
    if _NAME.fullmatch(name_or_address):
        path = _path(name_or_address)
        if path.is_file():
            return _read(path)
        close = difflib.get_close_matches(name_or_address, device_names(), n=1)
        raise DeviceError(
            f"there is no device {name_or_address!r}",
            f"did you mean {close[0]!r}?"
            if close
            else f"edgec device add {name_or_address} USER@HOST",
        )
    host, port = parse_address(name_or_address)
    return SshDevice("", host, port)


def save_device(device: SshDevice) -> Path:
    """Write a device's file and return it."""
    check_name(device.name)
    facts: dict[str, object] = {"host": device.host}
    if device.port is not None:
        facts["port"] = device.port
    if device.identity:
        facts["identity"] = device.identity
    if device.exec_prefix:
        facts["exec_prefix"] = list(device.exec_prefix)
    if device.folder:
        facts["folder"] = device.folder
    if device.cpus:
        facts["cpus"] = device.cpus
    if device.python != "python3":
        facts["python"] = device.python
    path = _path(device.name)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(tomli_w.dumps(facts), encoding="utf-8")
    return path


def check_cpus(text: str) -> None:
    """Raise UsageError unless these are numbers of cores."""
    if text and not _CPUS.fullmatch(text):
        raise UsageError(f"{text!r} is no list of cores", "write 3, or 2,3, or 0-3")


def check_name(name: str) -> None:
    """Raise UsageError unless a device may have this name."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is not a name for a device", "take letters, digits, hyphen and underscore"
        )


def remove_device(name: str) -> None:
    """Delete a device's file."""
    find_device(name)
    _path(name).unlink()


def _folder() -> Path:
    return config_folder() / "devices"


def _path(name: str) -> Path:
    return _folder() / f"{name}.toml"


def _read(path: Path) -> SshDevice:
    try:
        facts = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
    known = {"host": str, "port": int, "identity": str, "exec_prefix": list, "folder": str}
    known |= {"cpus": str, "python": str}
    for key, value in facts.items():
        kind = known.get(key)
        if kind is None:
            raise UsageError(f"{path}: unknown key {key!r}", f"known keys: {', '.join(known)}")
        if type(value) is not kind:
            raise UsageError(f"{path}: {key} is {type(value).__name__}, {kind.__name__} wanted")
    prefix = facts.get("exec_prefix", [])
    if not all(isinstance(word, str) and word for word in prefix):
        raise UsageError(f"{path}: exec_prefix is not a list of words")
    host, port = parse_address(str(facts.get("host", "")))
    check_cpus(facts.get("cpus", ""))
    if port is not None:
        raise UsageError(f"{path}: the port belongs in the key 'port'")
    return SshDevice(
        name=path.stem,
        host=host,
        port=facts.get("port"),
        identity=facts.get("identity", ""),
        exec_prefix=tuple(prefix),
        folder=facts.get("folder", ""),
        cpus=facts.get("cpus", ""),
        python=facts.get("python") or "python3",
    )
