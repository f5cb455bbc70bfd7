"""One program at a time on a probe or a port: a lock file each, which the system frees on exit."""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgec.pipeline.errors import UsageError
from edgec.targets.flash_failures import failed

_POLL_S = 0.1
_THREAD = threading.local()


def locks_folder() -> Path:
    """Return the folder of the lock files, made if it is not there.

    EDGEC_LOCKS_DIR is one that several users share; else it is the user's own, kept in RAM.
    """
    shared = os.environ.get("EDGEC_LOCKS_DIR")
    if shared:
        return _made(Path(shared))
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    base = Path(runtime) / "edgec" if runtime else Path(tempfile.gettempdir()) / f"edgec-{_user()}"
    return _made(base / "locks")


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise UsageError(f"{folder}: no folder for locks: {error.strerror}") from error
    return folder


def port_key(port: str) -> str:
    """Return the one name of a serial port, which may have several, for its lock."""
    return port if "://" in port else str(Path(port).resolve())


@contextmanager
def held(key: str, *, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the lock of a device; `key` is its probe's serial number, or its port.

    A thread that has it already has it again. Raises InfrastructureError if another process or
    thread has it, after waiting for `wait_s`.
    """
    own: set[str] = _THREAD.__dict__.setdefault("keys", set())
    if key in own:
        yield
        return
    path = locks_folder() / (re.sub(r"[^\w.-]", "_", key) + ".lock")
    with path.open("a+", encoding="ascii") as file:
        deadline = time.monotonic() + wait_s
        while not _taken(file.fileno()):
            if time.monotonic() >= deadline:
                file.seek(0)
                raise failed("probe-busy", key, said=f"process {file.read().strip()} has it")
            time.sleep(_POLL_S)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        own.add(key)
        try:
            yield
        finally:
            own.discard(key)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _user() -> int:
    return os.getuid()
