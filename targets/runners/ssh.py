"""Runs the image on a computer that SSH reaches; it speaks over the connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from edgec.pipeline.errors import DeviceError, InfrastructureError, TargetError, UsageError
from edgec.targets.devices import SshDevice, find_device
from edgec.targets.instruction_sets import check_cpu
from edgec.targets.links.base import Endpoint
from edgec.targets.profile import Target
from edgec.targets.runtime_wheels import RUNTIMES, install_runtime
from edgec.targets.script import Script, missing_runtime
from edgec.targets.ssh import leased


def reached_by_ssh(target: Target, device: str, *, install_runtime: bool = False) -> Target:
    """Return a target that is reached over SSH: `device` is a name or USER@HOST[:PORT].

    With `install_runtime`, what interprets a model is put into edgec's folder there.

    Raises DeviceError for a name that no device has, UsageError if the target is no computer.
    """
    if target.link != "process":
        raise UsageError(
            f"{target.name} is not a computer that SSH reaches", "choose rpi4, or x86, or the like"
        )
    find_device(device)
    options: dict[str, str | int] = {"device": device, "install_runtime": int(install_runtime)}
    return replace(target, runner="ssh", runner_options=options)


def command(image: str, target: Target) -> list[str]:
    """Return the command that starts an image that was copied there."""
    return ["ssh", _device(target).address, *_device(target).prefix, f"./{image}"]


@contextmanager
def start(image: Path, target: Target) -> Iterator[Endpoint]:
    """Push the image and start it; leaving the context ends it and removes the lease."""
    device = _device(target)
    with leased(device) as lease:
        _check_machine(device, lease.machine, target)
        if target.needs and not device.exec_prefix:
            # What is emulated is another CPU than the one that Linux tells of.
            check_cpu(str(device), target, lease.cpu_flags())
        path = lease.push(image)
        with lease.running(path) as process:
            emulator = " ".join(device.exec_prefix)
            yield Endpoint(process=process, emulator=emulator, observe=lease.state)


@contextmanager
def start_script(script: Script, target: Target) -> Iterator[Endpoint]:
    """Push a program in Python with the files it needs, and start it with the device's Python."""
    device = _device(target)
    with leased(device) as lease:
        _check_machine(device, lease.machine, target)
        if target.runner_options.get("install_runtime"):
            install_runtime(lease, script.runtime, target)
        path = lease.push(script.file)
        words = [a if isinstance(a, str) else lease.push(a) for a in script.arguments]
        words = [script.runtime.name, *words, "--site", f"{lease.base}/{RUNTIMES}"]
        try:
            with lease.running(path, words, device.python) as process:
                emulator = " ".join(device.exec_prefix)
                yield Endpoint(process=process, emulator=emulator, observe=lease.state)
        except InfrastructureError as error:
            raise (missing_runtime(error.message, script, str(device)) or error) from error


def _check_machine(device: SshDevice, machine: str, target: Target) -> None:
    """Raise DeviceError for another kind of computer, unless the device says how it runs ours.

    Linux may be set up to run programs of other CPUs in an emulator without saying so.
    """
    if device.exec_prefix or not target.machines or machine in target.machines:
        return
    raise DeviceError(
        f"{device} is a {machine}, {target.name} wants {' or '.join(target.machines)}",
        "choose the target that fits, or give the device an exec_prefix as qemu-aarch64",
    )


def _device(target: Target) -> SshDevice:
    device = target.runner_options.get("device")
    if not isinstance(device, str):
        raise TargetError(f'{target.name}: runner ssh takes device = "…"')
    return find_device(device)
