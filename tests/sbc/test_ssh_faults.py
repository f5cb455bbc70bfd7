"""What can go wrong on the way to a device, made to: the right error, and nothing left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edgec.pipeline.errors import DeviceError, EdgecError, InfrastructureError
from edgec.targets.devices import SshDevice
from edgec.targets.frames import Decoder, Kind
from edgec.targets.host_keys import ask_host
from edgec.targets.profile import load_target
from edgec.targets.runners import ssh
from edgec.targets.runners.ssh import reached_by_ssh
from edgec.targets.ssh import leased
from edgec.targets.toolchain import Image
from tests.support.sshd import QEMU, SshServer, capture, open_there, pids, program


def until(there: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not there():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def refused(image: Image, kind: type[EdgecError], code: int, device: str = "pi") -> EdgecError:
    with pytest.raises(kind) as caught, open_there(image, device):
        pass
    assert type(caught.value) is kind and caught.value.exit_code == code
    return caught.value


def test_an_unknown_key(server: SshServer, config: Path, images: dict[str, Image]) -> None:
    server.keep(config)
    (config / "known_hosts").unlink()
    error = refused(images["x86"], InfrastructureError, 8)
    assert "host key is not known" in error.message
    assert f"edgec device add pi {server.address}" in error.hint
    assert not (config / "known_hosts").exists()
    assert server.left() == {}


def test_a_changed_key(server: SshServer, config: Path, images: dict[str, Image]) -> None:
    other = (server.root / "identity.pub").read_text().rsplit(" ", 1)[0]
    server.keep(config, key=other)
    error = refused(images["x86"], InfrastructureError, 8)
    assert "host key is not the one in" in error.message and "set up anew" in error.hint
    assert ask_host(SshDevice("pi", server.host, server.port)).changed
    assert server.left() == {}


def test_a_login_that_is_refused(server: SshServer, config: Path, tmp_path: Path) -> None:
    capture("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other"))
    device = server.keep(config, identity=str(tmp_path / "other"))
    with pytest.raises(InfrastructureError, match="login was refused"), leased(device):
        pass


def test_nobody_there(server: SshServer, config: Path, images: dict[str, Image]) -> None:
    server.keep(config, port=1)
    assert "no answer" in refused(images["x86"], DeviceError, 3).message
    assert "there is no device" in refused(images["x86"], DeviceError, 3, "pie").message


def test_a_prefix_that_is_not_installed(
    server: SshServer, config: Path, images: dict[str, Image]
) -> None:
    server.keep(config, exec_prefix=("no-such-emulator", "-x"))
    error = refused(images["rpi4"], InfrastructureError, 8)
    assert "'no-such-emulator', which is to run ours, is not installed there" in error.message
    assert server.left() == {}


def test_a_program_that_cannot_run(
    server: SshServer, config: Path, images: dict[str, Image]
) -> None:
    device = server.keep(config)
    with (
        pytest.raises(InfrastructureError, match=r"a x86_64, cannot run the .*Exec format error"),
        leased(device) as lease,
        lease.running(lease.push(images["rpi4"].elf)) as process,
    ):
        process.wait()
        raise InfrastructureError("the device process ended")
    assert server.left() == {}


def test_a_cpu_that_lacks_instructions(
    server: SshServer, config: Path, images: dict[str, Image]
) -> None:
    server.keep(config)
    target = replace(load_target("x86"), needs=("fpu", "avx9000"))
    elf = images["x86"].elf
    sent = server.images()
    wanted = pytest.raises(DeviceError, match=r"pi \(.*: its CPU has no avx9000, which")
    with wanted as caught, ssh.start(elf, reached_by_ssh(target, "pi")):
        pass
    assert caught.value.exit_code == 3 and "--target x86-64-v" in caught.value.hint
    assert server.images() == sent
    # What is emulated is another CPU than the one that Linux tells of.
    server.keep(config, exec_prefix=("env",))
    with ssh.start(elf, reached_by_ssh(target, "pi")):
        until(server.firmware)
    assert server.left() == {}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "edgec-test", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no right to mount a small disk")
    yield disk
    capture("umount", str(disk))


def test_a_full_disk(
    server: SshServer, config: Path, images: dict[str, Image], small_disk: Path
) -> None:
    server.keep(config, exec_prefix=QEMU, folder=str(small_disk / "edgec"))
    error = refused(images["rpi4"], InfrastructureError, 8)
    assert "the disk is full" in error.message
    assert server.leases(small_disk / "edgec") == []
    assert list((small_disk / "edgec" / "images").iterdir()) == []
    assert server.left() == {}


@pytest.mark.parametrize("what", ["connection", "session"])
def test_something_dies_while_a_file_is_pushed(
    server: SshServer, config: Path, tmp_path: Path, what: str
) -> None:
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(200_000_000)
    device = server.keep(config)

    def cut() -> None:
        until(lambda: any((lease / "image").exists() for lease in server.leases()))
        if what == "connection":
            server.cut()
        else:
            (note,) = (note for lease in server.leases() for note in lease.glob("*.group"))
            os.killpg(int(note.read_text()), signal.SIGKILL)

    knife = threading.Thread(target=cut)
    knife.start()
    wanted = "connection was lost" if what == "connection" else "ended with exit code 255 and said"
    with pytest.raises(InfrastructureError, match=wanted), leased(device) as lease:
        lease.push(image)
    knife.join()
    assert server.left() == {}
    assert all(there.stat().st_size < 200_000_000 for there in server.images())


@pytest.mark.parametrize("what", ["connection", "master", "program", "session"])
def test_something_dies_while_a_program_runs(
    server: SshServer, config: Path, images: dict[str, Image], what: str
) -> None:
    device = server.keep(config, exec_prefix=QEMU)
    wanted = {"program": "killed by SIGKILL", "session": "the session was killed there"}
    with (
        pytest.raises(InfrastructureError, match=wanted.get(what, "connection was lost")),
        leased(device) as lease,
        lease.running(lease.push(images["rpi4"].elf)) as process,
    ):
        until(server.firmware)
        if what == "connection":
            server.cut()
        elif what == "master":
            lease.keeper.kill()
        else:
            there = server.firmware() if what == "program" else server.shells()
            os.kill(there[0], signal.SIGKILL)
        assert process.stdout is not None
        assert {frame.kind for frame in Decoder().feed(process.stdout.read())} <= {Kind.BOOT}
        raise InfrastructureError("the device process ended")
    assert server.left() == {}


def test_a_connection_that_falls_silent(
    server: SshServer, config: Path, images: dict[str, Image]
) -> None:
    device = server.keep(config, exec_prefix=QEMU)
    with (
        pytest.raises(InfrastructureError, match="connection was lost"),
        leased(device, silence_s=2) as lease,
        lease.running(lease.push(images["rpi4"].elf)) as process,
    ):
        until(server.firmware)
        time.sleep(3)
        assert len(server.leases()) == 1
        os.kill(lease.keeper.pid, signal.SIGSTOP)
        until(lambda: not server.leases() and not server.firmware())
        os.kill(lease.keeper.pid, signal.SIGCONT)
        assert process.stdout is not None
        assert {frame.kind for frame in Decoder().feed(process.stdout.read())} <= {Kind.BOOT}
        raise InfrastructureError("the device process ended")
    assert server.left() == {}


def test_a_connection_that_falls_silent_while_a_file_is_pushed(
    server: SshServer, config: Path, tmp_path: Path
) -> None:
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(200_000_000)
    device = server.keep(config)

    left: list[object] = []

    def silence(keeper: int) -> None:
        until(lambda: any((lease / "image").exists() for lease in server.leases()))
        os.kill(keeper, signal.SIGSTOP)
        time.sleep(3)
        left.append(server.left())
        os.kill(keeper, signal.SIGCONT)

    with (
        pytest.raises(InfrastructureError, match="connection was lost"),
        leased(device, silence_s=2) as lease,
    ):
        knife = threading.Thread(target=silence, args=(lease.keeper.pid,))
        knife.start()
        lease.push(image)
    knife.join()
    assert left == [{}]
    assert all(there.stat().st_size < 200_000_000 for there in server.images())


def interrupt(
    words: list[str], begun: Callable[[], object], sent: signal.Signals, code: int,
    server: SshServer, config: Path,
) -> None:  # fmt: skip
    """Send edgec a signal once something has begun; nothing may be left on either side."""
    process = subprocess.Popen(
        [sys.executable, "-m", "edgec", *words],
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, process_group=0,
    )  # fmt: skip
    until(begun)
    os.killpg(process.pid, sent)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code
    if sent == signal.SIGINT:
        assert said.decode().splitlines()[-1] == "error: interrupted"
    assert server.left() == {}
    mark = str(config).replace("%", "%%").encode()
    until(lambda: not [pid for pid in pids() if mark in program(pid)])
    if sent != signal.SIGINT:
        # Killed, it could not remove the folders of its socket and of its sources.
        for folder in (config.parent / "tmp").iterdir():
            shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -15), (signal.SIGKILL, -9)]
)
def test_edgec_is_interrupted(
    server: SshServer, config: Path, bundles: dict[str, Path], sent: signal.Signals, code: int
) -> None:
    server.keep(config, exec_prefix=QEMU)
    words = ["verify", "--ssh", "pi", "--samples", "150", str(bundles["rpi4"])]
    interrupt(words, server.firmware, sent, code, server, config)
