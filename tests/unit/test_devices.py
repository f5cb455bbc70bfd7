"""The user's devices as files, addresses that ssh may get, and what a computer says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgec.pipeline.errors import DeviceError, InfrastructureError, TargetError, UsageError
from edgec.targets import ssh_errors
from edgec.targets.devices import (
    SshDevice,
    config_folder,
    device_names,
    find_device,
    parse_address,
    remove_device,
    save_device,
)
from edgec.targets.host_state import (
    PROBE,
    HostState,
    parse_state,
    remarks,
    throttling,
    whose_times,
)
from edgec.targets.profile import load_target
from edgec.targets.runners import qemu_user, ssh
from edgec.targets.toolchain import run


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEC_CONFIG_DIR", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("pi@raspberrypi.local", "pi@raspberrypi.local", None),
        ("pi@10.0.0.7:2222", "pi@10.0.0.7", 2222),
        ("first.last@host-1:22", "first.last@host-1", 22),
        ("pi@[fe80::1%eth0]:22", "pi@[fe80::1%eth0]", 22),
    ],
)
def test_an_address_is_host_and_port(text: str, host: str, port: int | None) -> None:
    assert parse_address(text) == (host, port)


@pytest.mark.parametrize(
    "text",
    ["", "-oProxyCommand=sh", "pi@-oProxyCommand=sh", "pi@host name", "pi@host;sh", "a@b:0",
     "a@b:65536", "a@b:", "a@b\n", "$(sh)@b", "a@b:22:22"],
)  # fmt: skip
def test_an_address_cannot_be_an_option_or_a_command(text: str) -> None:
    with pytest.raises(UsageError, match="not an address"):
        parse_address(text)


def test_a_device_is_read_as_it_was_written() -> None:
    device = SshDevice("pi-4_b", "pi@host", 22, "/k/id", ("qemu-arm", "-cpu"), "/x y", "2,3")
    save_device(device)
    assert find_device("pi-4_b") == device
    assert device.prefix == ("taskset", "-c", "2,3", "qemu-arm", "-cpu")
    assert (device_names(), str(device)) == (["pi-4_b"], "pi-4_b (pi@host:22)")
    with pytest.raises(DeviceError) as caught:
        find_device("pi-4b")
    assert caught.value.hint == "did you mean 'pi-4_b'?"
    remove_device("pi-4_b")
    assert device_names() == []


@pytest.mark.parametrize("name", ["", "../x", "a b", "-x", "a/b", "pi.toml"])
def test_a_name_is_a_word(name: str) -> None:
    with pytest.raises(UsageError, match="not a name"):
        save_device(SshDevice(name, "pi@host"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("host = 1", "host is int, str wanted"),
        ('host = "a@b"\nport = "22"', "port is str, int wanted"),
        ('host = "a@b"\nport = true', "port is bool, int wanted"),
        ('host = "a@b:22"', "the port belongs"),
        ('host = "a@b"\npassword = "x"', "unknown key 'password'"),
        ('host = "a@b"\nexec_prefix = [1]', "not a list of words"),
        ('host = "a@b"\ncpus = "-p 1"', "no list of cores"),
        ("host", "cannot be read"),
        ("port = 22", "not an address"),
    ],
)
def test_a_file_that_is_wrong_is_refused(config: Path, text: str, why: str) -> None:
    (config / "devices").mkdir()
    (config / "devices" / "pi.toml").write_text(text)
    with pytest.raises(UsageError, match=why):
        find_device("pi")


def test_settings_are_where_xdg_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGEC_CONFIG_DIR")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/x")
    assert config_folder() == Path("/x/edgec")
    monkeypatch.delenv("XDG_CONFIG_HOME")
    assert config_folder() == Path.home() / ".config" / "edgec"


def test_a_state_is_what_was_printed() -> None:
    state = parse_state(
        "noise\nmodel=Raspberry Pi 4 Model B Rev 1.4\ngovernor=ondemand\ncur_freq=1500000\n"
        "max_freq=1800000\ntemp=48700\ntemp=\ntemp=51200\nthrottled=0x50000\ncores=4\nload=0.12\n"
    )
    assert state == HostState(
        "Raspberry Pi 4 Model B Rev 1.4", "ondemand", 1_500_000_000, 1_800_000_000, 51.2, 0x50000,
        0.12, 4,
    )  # fmt: skip
    assert parse_state("throttled=0xzz\nload=much\ntemp=hot\ncores=") == HostState()


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (0, 0, ""),
        (None, None, ""),
        (0x50000, 0x50000, ""),
        (0x50000, 0x70000, "frequency capped"),
        (0x1, 0x0, "under-voltage"),
        (0x0, 0x80008, "soft temperature limit"),
        (0x0, 0xF0000, "under-voltage, frequency capped, throttled, soft temperature limit"),
    ],
)
def test_only_what_happened_meanwhile_throttles(
    before: int | None, after: int | None, why: str
) -> None:
    assert throttling(HostState(throttled=before), HostState(throttled=after)) == why


def test_remarks_are_made_of_what_disturbs() -> None:
    calm = HostState(governor="performance", temperature_c=50, throttled=0, load=0.1, cores=4)
    assert remarks(calm, calm) == ()
    busy = HostState(governor="ondemand", temperature_c=50, throttled=0x10000, load=2.1, cores=4)
    text = "\n".join(remarks(busy, HostState(temperature_c=56)))
    assert all(word in text for word in ("ondemand", "load", "since it was booted", "6.0"))


def test_a_virtual_machine_is_not_taken_for_a_board() -> None:
    board, guest = HostState(model="Raspberry Pi 4 Model B"), HostState(model="linux,dummy-virt")
    assert (whose_times(()), whose_times((board, board))) == ("", "")
    assert whose_times((guest, guest)) == "of QEMU's virtual machine, no board's"
    assert "say nothing of a board" in remarks(guest, guest)[0]


def test_a_model_is_read_as_the_device_tree_has_it(tmp_path: Path) -> None:
    tree = tmp_path / "model"
    tree.write_bytes(b"Raspberry Pi 4 Model B Rev 1.0\0")
    probe = PROBE.replace("/proc/device-tree/model", str(tree))
    state = parse_state(run(["sh", "-c", probe], timeout_s=20).stdout)
    assert state.model == "Raspberry Pi 4 Model B Rev 1.0"


def test_what_a_device_says_cannot_steer_the_terminal() -> None:
    error = ssh_errors.failed(SshDevice("pi", "a@b"), "one\n\x1b[2Jtwo\x07")
    assert isinstance(error, InfrastructureError)
    assert error.message == "pi (a@b): ?[2Jtwo?"


def test_a_runner_refuses_options_that_are_not_its_own(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="runner qemu_user takes"):
        qemu_user.command("x", load_target("x86"))
    with pytest.raises(TargetError, match="runner ssh takes"):
        ssh.command("x", load_target("x86"))
    with pytest.raises(DeviceError):
        ssh.reached_by_ssh(load_target("rpi4"), "pi")
