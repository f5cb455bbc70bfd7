"""Verification and measurement over a real SSH connection, and what stays behind: nothing."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from edgec.pipeline.cli import main
from edgec.pipeline.errors import DeviceError, UsageError
from edgec.targets.bench import BenchResult, run_bench
from edgec.targets.profile import load_target
from edgec.targets.runners.ssh import reached_by_ssh
from edgec.targets.ssh import leased
from edgec.targets.toolchain import Image
from tests.support.sshd import QEMU, SshServer, capture, open_there, ssh_server


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(a) for a in arguments])
    return int(stop.value.code or 0)


@pytest.mark.parametrize(
    ("target", "prefix"), [("rpi4", QEMU), ("rpi-armv7", ("qemu-arm", "-cpu", "cortex-a7"))]
)
def test_a_program_runs_there_under_an_emulator_and_is_not_timed(
    server: SshServer,
    config: Path,
    bundles: dict[str, Path],
    target: str,
    prefix: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:
    server.keep(config, exec_prefix=prefix)
    assert run("bench", "--json", "--ssh", "pi", "--samples", "20", bundles[target]) == 0
    result = json.loads(capsys.readouterr().out)
    own = result["verified"][-1]
    assert own["device"] == f"{target} under {' '.join(prefix)}"
    assert own["exact"] and own["samples"] == 20
    assert (result["latency"], result["env"]["states"]) == (None, [])
    assert {layer["count"] for layer in result["layers"]} == {None}
    assert result["memory"]["stack_bytes"] > 0
    assert server.left() == {}


def test_a_computer_of_the_right_kind_is_timed(
    server: SshServer, config: Path, bundles: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    server.keep(config, cpus=str(min(os.sched_getaffinity(0))))
    assert run("bench", "--json", "--ssh", "pi", bundles["x86"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["latency"]["unit"] == "ns" and result["latency"]["stats"]["median"] > 0
    assert all(layer["count"] is not None for layer in result["layers"])
    assert len(result["latency"]["samples"]) >= 50
    before, after = result["env"]["states"]
    assert before["cores"] > 0 and after["load"] >= 0
    assert server.left() == {}


def test_an_address_does_where_the_key_is_known(
    server: SshServer, config: Path, images: dict[str, Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.keep(config)
    agent = capture("ssh-agent", "-c", "-a", str(server.root / "agent"))
    monkeypatch.setenv("SSH_AUTH_SOCK", str(server.root / "agent"))
    try:
        capture("ssh-add", "-q", str(server.identity))
        with open_there(images["x86"], server.address) as device:
            assert device.info.model == "small"
    finally:
        os.kill(int(agent.split("SSH_AGENT_PID ")[1].split(";")[0]), signal.SIGTERM)
    assert server.left() == {}


@pytest.mark.parametrize("folder", ['it\'s a "folder" of $HOME; rm -rf `x`', "-n plain"])
def test_folders_there_may_have_any_name(
    server: SshServer, config: Path, images: dict[str, Image], folder: str
) -> None:
    base = server.root / folder
    server.keep(config, folder=str(base))
    with open_there(images["x86"]) as device:
        assert device.info.model == "small"
        assert len(server.leases(base)) == 1
    assert len(list((base / "images").iterdir())) == 1
    assert server.leases(base) == []
    assert server.left() == {}


def test_an_image_is_pushed_once_and_again_if_it_was_damaged(
    server: SshServer, config: Path, tmp_path: Path
) -> None:
    image = tmp_path / "an image"
    image.write_bytes(bytes(range(256)) * 4000)
    device = server.keep(config)
    with leased(device) as lease:
        there = Path(lease.push(image))
        first = there.stat().st_ino
        assert Path(lease.push(image)).stat().st_ino == first
        there.write_bytes(b"damaged")
        lease.push(image)
        assert there.read_bytes() == image.read_bytes()
        assert there.stat().st_mode & 0o777 == 0o700
        assert len(server.leases()) == 1
    assert server.left() == {}


def test_a_folder_that_a_dead_session_left_is_removed(server: SshServer, config: Path) -> None:
    device = server.keep(config)
    with leased(device) as lease:
        node = Path(lease.folder).name.rpartition("-")[0]
        stale = server.cache / "edgec" / "leases" / f"{node}-4194305"
        stale.mkdir()
        with leased(device):
            assert not stale.exists()
            assert Path(lease.folder).is_dir()
    assert server.left() == {}


def test_another_kind_of_computer_is_refused(
    server: SshServer, config: Path, images: dict[str, Image]
) -> None:
    server.keep(config)
    wrong = pytest.raises(DeviceError, match="is a x86_64, rpi4 wants aarch64")
    with wrong, open_there(images["rpi4"]):
        pass
    assert server.left() == {}


def test_a_board_is_not_reached_by_ssh(server: SshServer, config: Path) -> None:
    server.keep(config)
    with pytest.raises(UsageError, match="cortex-m4 is not a computer"):
        reached_by_ssh(load_target("cortex-m4"), "pi")


def throttle(server: SshServer, *answers: str) -> None:
    """Have the device answer with these bits, the last one for good."""
    count = server.root / "asked"
    count.write_text("0")
    cases = "".join(f"{n}) echo throttled={a};; " for n, a in enumerate(answers[:-1]))
    script = server.bin / "vcgencmd"
    script.write_text(
        f"#!/bin/sh\nn=$(cat {count})\necho $((n + 1)) > {count}\n"
        f"case $n in {cases}*) echo throttled={answers[-1]};; esac\n"
    )
    script.chmod(0o755)


def test_a_device_that_throttles_itself_is_not_measured(
    server: SshServer, config: Path, images: dict[str, Image]
) -> None:
    server.keep(config)
    image = images["x86"]
    throttle(server, "0x0")
    try:
        with open_there(image) as device:
            sample = [bytes(size) for size in device.info.input_bytes]
            for index, data in enumerate(sample):
                device.write_input(index, data)
            device.run(1)
            answer = [device.read_output(i) for i in range(len(device.info.output_bytes))]

            def measured(*answers: str, allow_throttled: bool = False) -> BenchResult:
                throttle(server, *answers)
                return run_bench(
                    device, image, [sample], [answer], runs=2, allow_throttled=allow_throttled
                )

            assert measured("0x0").valid
            slowed = measured("0x0", "0x40000")
            assert slowed.why == "the device was slowed down (throttled)"
            assert not slowed.valid and slowed.samples == ()
            assert "under-voltage, throttled" in measured("0x50005").why
            kept = measured("0x50005", allow_throttled=True)
            assert kept.valid and any("slowed down" in warning for warning in kept.warnings)
            old = measured("0x50000")
            assert old.valid and any("but not now" in warning for warning in old.warnings)
            assert [state.throttled for state in old.states] == [0x50000, 0x50000]
    finally:
        (server.bin / "vcgencmd").unlink()
    assert server.left() == {}


def test_the_command_says_that_a_device_throttled_itself(
    server: SshServer, config: Path, bundles: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    server.keep(config)
    throttle(server, "0x4")
    try:
        assert run("bench", "-q", "--ssh", "pi", "--samples", "1", bundles["x86"]) == 5
    finally:
        (server.bin / "vcgencmd").unlink()
    said = capsys.readouterr()
    assert "the device was slowed down (throttled)" in said.err
    assert "--allow-throttled" in said.err and said.out == ""


def test_what_a_login_prints_does_no_harm(
    tmp_path: Path, config: Path, images: dict[str, Image]
) -> None:
    noise = "printf 'Welcome, edgec-leased\\n\\0\\1 to\\n'"
    force = f'ForceCommand {noise}; eval "$SSH_ORIGINAL_COMMAND"'
    with ssh_server(tmp_path / "server", [force]) as server:
        server.keep(config, exec_prefix=QEMU)
        with open_there(images["rpi4"]) as device:
            assert device.info.model == "small"
        assert server.left() == {}
