"""`edgec device`."""

from __future__ import annotations

import shlex
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from edgec.pipeline.cli.display import json_option


@click.group()
def command() -> None:
    """Keep the devices that SSH reaches: add, list or remove one."""


@command.command("add")
@click.argument("name")
@click.argument("address", metavar="USER@HOST[:PORT]")
@click.option("--host-key", metavar="SHA256:…", help="Accept this fingerprint, do not ask.")
@click.option(
    "--identity",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Private key to log in with; what ssh has otherwise.",
)
@click.option(
    "--exec-prefix",
    metavar="WORDS",
    help="What to put before a program there, as qemu-aarch64; nothing is timed then.",
)
@click.option(
    "--folder", metavar="DIR", help="Where to keep files there; ~/.cache/edgec otherwise."
)
@click.option("--cpus", default="", metavar="LIST", help="The cores to run on, as 3 or 2,3.")
@click.option(
    "--python",
    default="python3",
    show_default=True,
    metavar="PATH",
    help="The device's Python, for models that are interpreted.",
)
@json_option
def add_command(
    name: str, address: str, host_key: str | None, identity: Path | None, exec_prefix: str | None,
    folder: str | None, cpus: str, python: str, as_json: bool,
) -> None:  # fmt: skip
    """Add the device NAME, or change it, after showing its host key's fingerprint.

    The device is logged in to before it is kept. Nothing is installed there.
    """
    from edgec.pipeline.cli import display
    from edgec.targets.devices import SshDevice, check_cpus, check_name, parse_address, save_device
    from edgec.targets.host_keys import ask_host, trust, write_entry
    from edgec.targets.ssh import leased

    check_name(name)
    check_cpus(cpus)
    host, port = parse_address(address)
    device = SshDevice(
        name, host, port,
        identity=str(identity.resolve()) if identity else "",
        exec_prefix=_words(exec_prefix),
        folder=_folder(folder),
        cpus=cpus,
        python=python,
    )  # fmt: skip
    key = ask_host(device)
    _accept(device, key, host_key)
    with tempfile.TemporaryDirectory(prefix="edgec-") as work:
        hosts = Path(work) / "known_hosts"
        write_entry(key.entry, hosts)
        with leased(device, hosts) as lease:
            machine, state = lease.machine, lease.state()
    trust(key)
    path = save_device(device)
    if as_json:
        facts = {"file": str(path), "fingerprint": key.fingerprint, "machine": machine}
        display.print_json({**asdict(device), **facts, "state": asdict(state)})
        return
    what = f"{state.model}, {machine}" if state.model else machine
    click.echo(f"{name}: {device.address}, {what}, kept in {path}")


@command.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the devices."""
    from edgec.pipeline.cli import display
    from edgec.targets.devices import device_names, find_device

    devices = [find_device(name) for name in device_names()]
    if as_json:
        display.print_json([asdict(device) for device in devices])
        return
    rows = [(d.name, d.address, shlex.join(d.exec_prefix), d.identity) for d in devices]
    display.print_table(("device", "address", "exec prefix", "identity"), rows)


@command.command("remove")
@click.argument("name")
def remove_command(name: str) -> None:
    """Forget the device NAME, and its host key unless another device has it too."""
    from edgec.targets.devices import check_name, device_names, find_device, remove_device
    from edgec.targets.host_keys import entry_host, forget

    check_name(name)
    host = entry_host(find_device(name))
    remove_device(name)
    if host not in [entry_host(find_device(other)) for other in device_names()]:
        forget(host)


def _accept(device: Any, key: Any, wanted: str | None) -> None:
    """Ask whether a key is right, or compare it with the fingerprint that was given."""
    from edgec.pipeline.errors import InfrastructureError

    if wanted is not None:
        if wanted != key.fingerprint:
            raise InfrastructureError(
                f"{device}: the host key is {key.fingerprint} ({key.kind}), {wanted} wanted",
                "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub tells it on the device",
            )
        return
    click.echo(f"{device}: host key {key.fingerprint} ({key.kind})", err=True)
    if key.changed:
        click.echo("it is NOT the key that was accepted before", err=True)
    try:
        accepted = click.confirm("is that the device's key?", err=True)
    except click.Abort as error:
        if sys.stdin.isatty():
            raise
        raise InfrastructureError(
            f"{device}: nobody is there to accept the host key", "give --host-key its fingerprint"
        ) from error
    if not accepted:
        raise InfrastructureError(f"{device}: the host key was not accepted")


def _words(text: str | None) -> tuple[str, ...]:
    from edgec.pipeline.errors import UsageError

    try:
        return tuple(shlex.split(text or ""))
    except ValueError as error:
        raise UsageError(f"--exec-prefix {text!r} is not a list of words: {error}") from error


def _folder(text: str | None) -> str:
    from edgec.pipeline.errors import UsageError

    if text and (not text.startswith("/") or not text.isprintable()):
        raise UsageError(f"--folder {text!r} is not an absolute path on the device")
    return text or ""
