"""Puts a runtime's wheels into edgec's folder on a device: never anywhere else, never unasked."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgec.pipeline.errors import InfrastructureError, ToolMissingError
from edgec.targets.profile import Target
from edgec.targets.script import Runtime
from edgec.targets.ssh import Lease
from edgec.targets.toolchain import run

RUNTIMES = "runtimes"
"""The folder beside images and leases."""

NUMPY = "numpy"
DOWNLOAD_S = 600.0
OLDEST_GLIBC = 17

# Prints what pip must know of a Python.
ASK = """
import json, platform, sys
try:
    import numpy
    version = numpy.__version__
except ImportError:
    version = ""
machine = platform.machine()
if machine.startswith(("arm", "aarch")) and sys.maxsize < 2**32:
    machine = "armv7l"
facts = {"python": list(sys.version_info[:2]), "machine": machine}
print(json.dumps({**facts, "libc": platform.libc_ver()[1], "numpy": version}))
"""

# Arguments: the folder to fill, one to unpack to, then wheels. Another edgec may do the same.
UNPACK = """
import os, shutil, sys, zipfile
to, new, wheels = sys.argv[1], sys.argv[2], sys.argv[3:]
for wheel in wheels:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(new)
os.sync()
open(os.path.join(new, "complete"), "w").close()
def there():
    return os.path.isfile(os.path.join(to, "complete"))
if not there():
    shutil.rmtree(to, ignore_errors=True)
os.makedirs(os.path.dirname(to), exist_ok=True)
try:
    os.rename(new, to)
except OSError:
    if not there():
        raise
"""

# Arguments: the words that run a program.
RUN_WORDS = 'umask 077; "$@"'


def install_runtime(lease: Lease, runtime: Runtime, target: Target) -> None:
    """Install what a runtime needs for the device's Python, unless it was before.

    Raises ToolMissingError where there are no wheels for it, or pip cannot get them.
    """
    python = [*lease.device.exec_prefix, lease.device.python]
    facts = _facts(lease, python)
    major, minor = facts["python"]
    machine = facts["machine"]
    wanted = list(runtime.wheels.get(machine, ()))
    if not wanted:
        raise ToolMissingError(
            f"{lease.device}: there is no {runtime.title} for a {machine}",
            f"take another backend for {target.name}",
        )
    if not facts["numpy"]:
        wanted.append(NUMPY)
    to = f"{lease.base}/{RUNTIMES}/cp{major}{minor}-{machine}-{runtime.name}"
    if lease.script('[ ! -f "$1/complete" ] || echo there', [to], b"").strip() == "there":
        return
    with tempfile.TemporaryDirectory(prefix="edgec-") as folder:
        wheels = _download(wanted, f"{major}.{minor}", machine, facts["libc"], Path(folder))
        there = [lease.push(wheel) for wheel in wheels]
    # In the lease's folder: what is not finished goes with it.
    unpack = [*python, "-c", UNPACK, to, f"{lease.folder}/runtime", *there]
    lease.script(RUN_WORDS, unpack, b"", timeout_s=DOWNLOAD_S)


def _facts(lease: Lease, python: Sequence[str]) -> dict[str, Any]:
    said = lease.script(RUN_WORDS, [*python, "-c", ASK], b"")
    try:
        facts: dict[str, Any] = json.loads(said)
    except json.JSONDecodeError as error:
        raise InfrastructureError(f"{lease.device}: its Python does not say what it is") from error
    return facts


def _download(
    wanted: Sequence[str], python: str, machine: str, glibc: str, folder: Path
) -> list[Path]:
    """Have pip download wheels for another computer; nothing of them is run here."""
    newest = int(glibc.partition(".")[2] or OLDEST_GLIBC)
    platforms = [f"manylinux_2_{n}_{machine}" for n in range(newest, OLDEST_GLIBC - 1, -1)]
    platforms.append(f"manylinux2014_{machine}")
    argv = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
        "--no-deps", "--only-binary=:all:", "--implementation", "cp", "--python-version", python,
        *(word for name in platforms for word in ("--platform", name)),
        "--dest", str(folder), *wanted,
    ]  # fmt: skip
    run(argv, timeout_s=DOWNLOAD_S, failure=ToolMissingError)
    return sorted(folder.glob("*.whl"))
