"""`edgec device`: a key is shown and asked for before it is kept."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgec.pipeline.cli.device import command
from edgec.pipeline.errors import DeviceError, InfrastructureError
from tests.support.sshd import SshServer


def add(server: SshServer, *options: str, said: str = "") -> tuple[str, BaseException | None]:
    arguments = ["add", "pi", server.address, "--identity", str(server.identity), *options]
    done = CliRunner().invoke(command, arguments, input=said)
    return done.output, done.exception


def test_a_key_is_shown_and_kept_when_accepted(server: SshServer, config: Path) -> None:
    output, failure = add(server, "--exec-prefix", "qemu-aarch64 -cpu max", said="y\n")
    assert failure is None
    assert f"host key {server.fingerprint} (ssh-ed25519)" in output
    assert (config / "known_hosts").read_text() == server.known()
    facts = tomllib.loads((config / "devices" / "pi.toml").read_text())
    assert facts == {
        "host": server.host,
        "port": server.port,
        "identity": str(server.identity),
        "exec_prefix": ["qemu-aarch64", "-cpu", "max"],
    }
    listed = CliRunner().invoke(command, ["list", "--json"])
    assert [device["name"] for device in json.loads(listed.output)] == ["pi"]
    assert CliRunner().invoke(command, ["remove", "pi"]).exception is None
    assert (config / "known_hosts").read_text() == ""
    assert list((config / "devices").iterdir()) == []
    assert server.left() == {}


def test_a_fingerprint_stands_for_the_answer(server: SshServer, config: Path) -> None:
    _, failure = add(server, "--host-key", "SHA256:of-another-host")
    assert isinstance(failure, InfrastructureError) and server.fingerprint in failure.message
    assert not config.exists()
    output, failure = add(server, "--json", "--host-key", server.fingerprint)
    assert failure is None and json.loads(output)["machine"]
    assert server.left() == {}


@pytest.mark.parametrize("said", ["n\n", ""])
def test_a_key_that_nobody_accepts_is_not_kept(server: SshServer, config: Path, said: str) -> None:
    _, failure = add(server, said=said)
    assert isinstance(failure, InfrastructureError)
    assert not config.exists()


def test_a_key_that_changed_is_said_to_have(server: SshServer, config: Path) -> None:
    server.keep(config, key=(server.root / "identity.pub").read_text().rsplit(" ", 1)[0])
    output, failure = add(server, said="y\n")
    assert failure is None and "NOT the key that was accepted before" in output
    assert (config / "known_hosts").read_text() == server.known()


def test_a_device_that_refuses_the_login_is_not_kept(
    server: SshServer, config: Path, tmp_path: Path
) -> None:
    output = CliRunner().invoke(
        command,
        ["add", "pi", f"nobody-of-that-name@127.0.0.1:{server.port}",
         "--identity", str(server.identity), "--host-key", server.fingerprint],
    )  # fmt: skip
    assert isinstance(output.exception, InfrastructureError)
    assert "login was refused" in output.exception.message
    assert not config.exists()


def test_nobody_answers(config: Path) -> None:
    done = CliRunner().invoke(command, ["add", "pi", "someone@127.0.0.1:1"])
    assert isinstance(done.exception, DeviceError)
    assert not config.exists()
