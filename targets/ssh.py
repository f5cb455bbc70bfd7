"""A lease on a computer that SSH reaches: a folder there, ours until the connection ends.

One OpenSSH process is both the connection that every other command shares, and the session that
keeps the folder. When its input ends, for whatever reason, the other side kills what it still runs
for us and removes the folder by itself.
"""

from __future__ import annotations

import hashlib
import os
import select
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from edgec.pipeline.errors import EdgecError, InfrastructureError
from edgec.targets import ssh_errors
from edgec.targets.devices import SshDevice, known_hosts
from edgec.targets.host_state import PROBE, HostState, parse_state
from edgec.targets.native_cpu import flags_in
from edgec.targets.runners.base import leash
from edgec.targets.ssh_scripts import KEEPER, LEASED, NOTED, PUSH, RUN, RUNNING
from edgec.targets.toolchain import find_tool

CONNECT_S = 10
ANSWER_S = 60.0
PUSH_S = 900.0
CLEAN_UP_S = 20.0
SILENCE_S = 60
"""How long the other side bears a connection that says nothing, and so may have been cut."""


@dataclass(slots=True)
class Lease:
    """A folder on a computer and the connection to it; `base` is where images are kept there."""

    device: SshDevice
    keeper: subprocess.Popen[bytes]
    control: Path
    log: IO[bytes]
    machine: str = ""
    base: str = ""
    folder: str = ""
    _started: int = field(default=0)

    def push(self, image: Path) -> str:
        """Put a file there unless it is there already; return its path.

        It is found by its hash, which the other side checks before and after.
        """
        data = image.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        where = [self.base, digest, str(len(data))]
        if self.script(PUSH, [*where, "find"], b"").strip().endswith("there"):
            return f"{self.base}/images/{digest}"
        self.script(PUSH, [*where, "take"], data, timeout_s=PUSH_S)
        return f"{self.base}/images/{digest}"

    def cpu_flags(self) -> frozenset[str]:
        """Return the flags that Linux lists for the computer's CPU."""
        return flags_in(self.script("cat /proc/cpuinfo", [], b""))

    def state(self) -> HostState:
        """Return the state of the computer now."""
        return parse_state(self.script(PROBE, [], b""))

    @contextmanager
    def running(
        self, path: str, arguments: Sequence[str] = (), interpreter: str = ""
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Run a program there with pipes to it; leaving ends it, at the latest with the lease.

        `interpreter` is what runs the file, if it is no program itself.
        """
        before = [*self.device.prefix, *([interpreter] if interpreter else [])]
        needed = before[0] if before else ""
        words = [needed, *before, path, *arguments]
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                self._command(RUN, words),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                env=_environment(),
                process_group=0,
            )
            try:
                _wait_for(process, RUNNING, ANSWER_S)
                yield process
            except InfrastructureError as error:
                self._explain(process, said, error)
                raise
            finally:
                # What runs there may be deep in an inference: the lease ends it.
                process.kill()
                _end(process)

    def script(
        self, script: str, words: Sequence[str], data: bytes, timeout_s: float = ANSWER_S
    ) -> str:
        """Run a shell script there with arguments and input; return what it prints."""
        try:
            done = subprocess.run(
                self._command(script, words),
                input=data,
                capture_output=True,
                timeout=timeout_s,
                env=_environment(),
                process_group=0,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise InfrastructureError(
                f"{self.device}: a command did not end within {timeout_s:g} s"
            ) from error
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip()
            silent = f"a command ended with exit code {done.returncode} and said nothing"
            raise self._failure(said or silent)
        return done.stdout.decode(errors="replace")

    def _command(self, script: str, words: Sequence[str]) -> list[str]:
        self._started += 1
        noted = remote(NOTED + script, [self.folder, str(self._started), *words])
        client = [*leash(), *client_argv(self.device, self.control), "-o", "ControlMaster=no"]
        return [*client, "--", self.device.host, noted]

    def _failure(self, said: str) -> EdgecError:
        """Return the error of a command that failed, or of the connection if that is gone."""
        with suppress(subprocess.TimeoutExpired):
            self.keeper.wait(timeout=1)
            return ssh_errors.lost(self.device, ssh_errors.read_log(self.log) or said)
        return ssh_errors.failed(self.device, said)

    def _explain(
        self, process: subprocess.Popen[bytes], said: IO[bytes], error: InfrastructureError
    ) -> None:
        """Raise what is known of a program that ended; do nothing if it still runs."""
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
            text = ssh_errors.read_log(said)
            ended = ssh_errors.ended(self.device, self.machine, text)
            raise (ended or self._failure(text or "the session was killed there")) from error


def client_argv(
    device: SshDevice, control: Path | None = None, hosts: Path | None = None
) -> list[str]:
    """Return the ssh command up to, not with, the host: strict about keys, never asking."""
    options = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": _option_path(hosts or known_hosts()),
        "GlobalKnownHostsFile": "/dev/null",
        "UpdateHostKeys": "no",
        "VerifyHostKeyDNS": "no",
        "ConnectTimeout": str(CONNECT_S),
        "ServerAliveInterval": "15",
        "ServerAliveCountMax": "2",
        "ControlPath": "none" if control is None else _option_path(control),
        "ControlPersist": "no",
        "ClearAllForwardings": "yes",
        "ForwardAgent": "no",
        "ForwardX11": "no",
        "PermitLocalCommand": "no",
        "RemoteCommand": "none",
        "RequestTTY": "no",
        "EscapeChar": "none",
        "LogLevel": "ERROR",
    }
    if device.identity:
        identity = Path(device.identity).expanduser()
        options |= {"IdentityFile": _option_path(identity), "IdentitiesOnly": "yes"}
    argv = [find_tool("ssh"), "-T"]
    for key, value in options.items():
        argv += ["-o", f"{key}={value}"]
    return argv if device.port is None else [*argv, "-p", str(device.port)]


def remote(script: str, words: Sequence[str]) -> str:
    """Return the command line that gives a script its arguments, whatever shell reads it."""
    return shlex.join(["sh", "-c", script, "edgec", *words])


@contextmanager
def leased(
    device: SshDevice, hosts: Path | None = None, *, silence_s: int = SILENCE_S
) -> Iterator[Lease]:
    """Connect and take a lease, and give it back on leaving, whatever the reason.

    `hosts` is the file of accepted keys, edgec's own if it is None. Raises DeviceError if nothing
    answers there, InfrastructureError for anything else.
    """
    root = tempfile.gettempdir()
    # The path of a socket has a limit of some 100 bytes.
    folder = Path(tempfile.mkdtemp(prefix="edgec-", dir=root if len(root) < 50 else "/tmp"))
    control = folder / "ssh"
    keep = [
        *leash(), *client_argv(device, control, hosts), "-o", "ControlMaster=yes",
        "--", device.host, remote(KEEPER, [device.folder, str(silence_s)]),
    ]  # fmt: skip
    with tempfile.TemporaryFile() as log:
        keeper = subprocess.Popen(
            keep, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            env=_environment(),
            # Ctrl-C is ours to handle: the connection is needed to clean up.
            process_group=0,
        )  # fmt: skip
        try:
            lease = Lease(device, keeper, control, log)
            lease.machine, lease.base, lease.folder = _greeting(lease)
            with _beating(keeper, silence_s / 4):
                yield lease
        finally:
            _end(keeper)
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _beating(keeper: subprocess.Popen[bytes], every_s: float) -> Iterator[None]:
    """Send the keeper a line now and then, so that it knows that we are there."""
    stop = threading.Event()

    def beat() -> None:
        with suppress(OSError, ValueError):
            while keeper.stdin is not None and not stop.wait(every_s):
                keeper.stdin.write(b"\n")
                keeper.stdin.flush()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=1)


def _greeting(lease: Lease) -> tuple[str, str, str]:
    """Wait for the keeper and return what it says: the machine, the base and the folder."""
    try:
        text = _wait_for(lease.keeper, LEASED, CONNECT_S + ANSWER_S)
    except KeyboardInterrupt:
        # There is nothing to clean up over a connection that may never come about.
        lease.keeper.kill()
        raise
    except InfrastructureError as error:
        lease.keeper.kill()
        lease.keeper.wait()
        said = ssh_errors.read_log(lease.log)
        raise ssh_errors.not_connected(lease.device, said or error.message) from error
    machine, base, folder = text.rsplit("\n", 4)[1:4]
    return machine, base, folder


def _wait_for(process: subprocess.Popen[bytes], mark: str, timeout_s: float) -> str:
    """Read a process's output up to a line; return all of it before that line."""
    assert process.stdout is not None
    end = f"\n{mark}\n".encode()
    text = b""
    deadline = time.monotonic() + timeout_s
    while not text.endswith(end):
        left = max(deadline - time.monotonic(), 0)
        if not select.select([process.stdout], [], [], left)[0]:
            raise InfrastructureError(f"no answer within {timeout_s:g} s")
        # A byte at a time: what follows the line belongs to the link.
        byte = os.read(process.stdout.fileno(), 1)
        if not byte:
            raise InfrastructureError("the remote command ended early")
        text += byte
    return text.removesuffix(end).decode(errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process's input and wait for it, then no longer."""
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    try:
        process.wait(timeout=CLEAN_UP_S)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=2)
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _option_path(path: Path) -> str:
    """Return a path as a value of `ssh -o`, which has quotes and percent signs of its own."""
    text = str(path).replace("%", "%%")
    if '"' in text or "\n" in text or "${" in text:
        raise InfrastructureError(f"{path}: ssh takes no path with such characters")
    return f'"{text}"'


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C"}
