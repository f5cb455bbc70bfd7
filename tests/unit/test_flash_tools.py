"""Each flash tool gets exactly its arguments, and what it prints becomes a named failure."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from edgec.pipeline.cli import doctor
from edgec.pipeline.errors import (
    DeviceError,
    EdgecError,
    InfrastructureError,
    TargetError,
    ToolMissingError,
    UsageError,
)
from edgec.targets import flashing
from edgec.targets.flash_failures import FAILURES, failed
from edgec.targets.flash_tool import (
    FlashTool,
    Job,
    flash_tool,
    flash_tools,
    installed_version,
    program_path,
)
from edgec.targets.profile import board_names, load_target
from edgec.targets.runners import uf2
from tests.conftest import lack
from tests.support.fake_tool import FakeTool
from tests.support.flash_outputs import OUTPUTS, Recorded

OPTIONS: dict[str, dict[str, str | int]] = {
    "pyocd": {"target": "stm32l4r5zitx"},
    "probe_rs": {"chip": "STM32L4R5ZITx"},
    "openocd": {"config": "board/st_nucleo_l4.cfg", "unlock": "stm32l4x unlock 0"},
    "stm32cubeprogrammer": {},
    "jlink": {"device": "STM32L4R5ZI"},
    "st_flash": {"address": "0x08000000"},
    "esptool": {"chip": "esp32c3", "address": "0x10000"},
    "picotool": {},
    "uf2": {"board_id": "RPI-RP2", "family": "0xe48bff56"},
    "dfu_util": {"address": "0x08000000", "device": "0483:df11"},
    "bossac": {"offset": "0x10000"},
}

IMAGES = {kind: f"build/image.{kind}" for kind in ("elf", "bin", "hex", "uf2")}

QUIET = ["-c", "gdb_port disabled", "-c", "tcl_port disabled", "-c", "telnet_port disabled"]
UNDER_RESET = "reset_config srst_only srst_nogate connect_assert_srst"
PYOCD = ["--no-wait", "-u", "066BFF555", "-t", "stm32l4r5zitx"]
KEPT = ["-O", "auto_unlock=false", "-O", "resume_on_disconnect=false"]
PROBE_RS = ["--chip", "STM32L4R5ZITx", "--probe", "0483:374b:066BFF555", "--non-interactive"]
OPENOCD = ["-f", "board/st_nucleo_l4.cfg", *QUIET, "-c", "adapter serial 066BFF555"]
CUBE = ["--connect", "port=SWD", "sn=066BFF555"]
JLINK = ["-NoGui", "1", "-ExitOnError", "1", "-SelectEmuBySN", "066BFF555", "-Device"]
JLINK += ["STM32L4R5ZI", "-If", "SWD", "-Speed"]
ESP = ["--chip", "esp32c3", "--port", "/dev/ttyUSB0", "--baud"]
RESETS = ["--before", "default-reset", "--after", "hard-reset"]

EXACT: dict[tuple[str, str], list[list[str]]] = {
    ("pyocd", "flash"): [["load", *PYOCD, *KEPT, "-e", "sector", "build/image.elf"]],
    ("pyocd", "flash erase"): [["load", *PYOCD, *KEPT, "-e", "chip", "build/image.elf"]],
    ("pyocd", "flash unlock"): [
        ["load", *PYOCD, "-O", "auto_unlock=true", *KEPT[2:], "-e", "sector", "build/image.elf"]
    ],
    ("pyocd", "flash gentle"): [
        ["load", *PYOCD, "-M", "under-reset", "-f", "1000000", *KEPT, "-e", "sector",
         "build/image.elf"]
    ],
    ("pyocd", "reset"): [["reset", *PYOCD, *KEPT]],
    ("pyocd", "erase"): [["erase", *PYOCD, *KEPT, "--chip"]],
    ("probe_rs", "flash"): [
        ["download", *PROBE_RS, "--verify", "--disable-progressbars", "build/image.elf"],
        ["reset", *PROBE_RS],
    ],
    ("probe_rs", "flash erase"): [
        ["download", *PROBE_RS, "--chip-erase", "--verify", "--disable-progressbars",
         "build/image.elf"],
        ["reset", *PROBE_RS],
    ],
    ("probe_rs", "flash unlock"): [
        ["download", *PROBE_RS, "--allow-erase-all", "--verify", "--disable-progressbars",
         "build/image.elf"],
        ["reset", *PROBE_RS, "--allow-erase-all"],
    ],
    ("probe_rs", "flash gentle"): [
        ["download", *PROBE_RS, "--connect-under-reset", "--speed", "1000", "--verify",
         "--disable-progressbars", "build/image.elf"],
        ["reset", *PROBE_RS, "--connect-under-reset", "--speed", "1000"],
    ],
    ("probe_rs", "reset"): [["reset", *PROBE_RS]],
    ("probe_rs", "erase"): [["erase", *PROBE_RS]],
    ("openocd", "flash"): [[*OPENOCD, "-c", "program {build/image.elf} verify reset exit"]],
    ("openocd", "flash erase"): [
        [*OPENOCD, "-c", "init", "-c", "reset halt", "-c", "flash erase_sector 0 0 last", "-c",
         "program {build/image.elf} verify reset exit"]
    ],
    ("openocd", "flash unlock"): [
        [*OPENOCD, "-c", "init", "-c", "reset halt", "-c", "stm32l4x unlock 0", "-c",
         "reset halt", "-c", "program {build/image.elf} verify reset exit"]
    ],
    ("openocd", "flash gentle"): [
        [*OPENOCD, "-c", "adapter speed 480", "-c", UNDER_RESET, "-c",
         "program {build/image.elf} verify reset exit"]
    ],
    ("openocd", "reset"): [[*OPENOCD, "-c", "init", "-c", "reset run", "-c", "shutdown"]],
    ("openocd", "erase"): [
        [*OPENOCD, "-c", "init", "-c", "reset halt", "-c", "flash erase_sector 0 0 last", "-c",
         "shutdown"]
    ],
    ("stm32cubeprogrammer", "flash"): [
        [*CUBE, "--download", "build/image.hex", "--verify", "--start"]
    ],
    ("stm32cubeprogrammer", "flash erase"): [
        [*CUBE, "--erase", "all", "--download", "build/image.hex", "--verify", "--start"]
    ],
    ("stm32cubeprogrammer", "flash unlock"): [
        [*CUBE, "--readunprotect"],
        [*CUBE, "--download", "build/image.hex", "--verify", "--start"],
    ],
    ("stm32cubeprogrammer", "flash gentle"): [
        [*CUBE, "freq=1000", "mode=UR", "reset=HWrst", "--download", "build/image.hex", "--verify",
         "--start"]
    ],
    ("stm32cubeprogrammer", "reset"): [[*CUBE, "-rst"]],
    ("stm32cubeprogrammer", "erase"): [[*CUBE, "--erase", "all"]],
    ("jlink", "flash"): [[*JLINK, "4000", "-AutoConnect", "1", "-CommandFile", "{script}"]],
    ("jlink", "flash gentle"): [
        [*JLINK, "1000", "-AutoConnect", "1", "-CommandFile", "{script}"]
    ],
    ("jlink", "reset"): [[*JLINK, "4000", "-AutoConnect", "1", "-CommandFile", "{script}"]],
    ("st_flash", "flash"): [
        ["--serial", "066BFF555", "--reset", "write", "build/image.bin", "0x08000000"]
    ],
    ("st_flash", "flash erase"): [
        ["--serial", "066BFF555", "erase"],
        ["--serial", "066BFF555", "--reset", "write", "build/image.bin", "0x08000000"],
    ],
    ("st_flash", "flash gentle"): [
        ["--serial", "066BFF555", "--connect-under-reset", "--freq=1000k", "--reset", "write",
         "build/image.bin", "0x08000000"]
    ],
    ("st_flash", "reset"): [["--serial", "066BFF555", "reset"]],
    ("st_flash", "erase"): [["--serial", "066BFF555", "erase"]],
    ("esptool", "flash"): [[*ESP, "460800", *RESETS, "write-flash", "0x10000", "build/image.bin"]],
    ("esptool", "flash erase"): [
        [*ESP, "460800", *RESETS, "write-flash", "--erase-all", "0x10000", "build/image.bin"]
    ],
    ("esptool", "flash gentle"): [
        [*ESP, "115200", *RESETS, "write-flash", "0x10000", "build/image.bin"]
    ],
    ("esptool", "reset"): [[*ESP, "460800", *RESETS, "read-mac"]],
    ("esptool", "erase"): [[*ESP, "460800", *RESETS, "erase-flash"]],
    ("picotool", "flash"): [
        ["load", "-v", "-x", "build/image.elf", "-t", "elf", "--ser", "066BFF555"]
    ],
    ("picotool", "flash erase"): [
        ["erase", "-a", "--ser", "066BFF555"],
        ["load", "-v", "-x", "build/image.elf", "-t", "elf", "--ser", "066BFF555"],
    ],
    ("picotool", "erase"): [["erase", "-a", "--ser", "066BFF555"]],
    ("uf2", "flash"): [["build/image.uf2", "/dev/ttyUSB0/"]],
    ("dfu_util", "flash"): [
        ["-d", "0483:df11", "-S", "066BFF555", "-a", "0", "-s", "0x08000000:leave", "-D",
         "build/image.bin"]
    ],
    ("dfu_util", "flash erase"): [
        ["-d", "0483:df11", "-S", "066BFF555", "-a", "0", "-s",
         "0x08000000:mass-erase:force:leave", "-D", "build/image.bin"]
    ],
    ("bossac", "flash"): [
        ["--port=/dev/ttyUSB0", "--offset=0x10000", "--erase", "--write", "--verify", "--reset",
         "build/image.bin"]
    ],
}  # fmt: skip

SUCCESS = {
    "openocd": "** Verified OK **\n",
    "stm32cubeprogrammer": "Download verified successfully\n",
    "jlink": "Downloading file [image.hex]...\nO.K.\n",
    "st_flash": "Flash written and verified! jolly good!\n",
    "esptool": "Hash of data verified.\n",
    "dfu_util": "File downloaded successfully\n",
    "bossac": "Verify successful\n",
}


def job(name: str, what: str = "flash") -> Job:
    tool = flash_tool(name)
    by_serial = "serial" in tool.can
    return Job(
        images=IMAGES,
        options=OPTIONS[name],
        serial="066BFF555" if by_serial else "",
        usb_id="0483:374b" if by_serial else "",
        port="/dev/ttyUSB0" if "port" in tool.can or name == "uf2" else "",
        erase="erase" in what.split()[1:],
        unlock="unlock" in what,
        gentle="gentle" in what,
    )


def fake(tool: FlashTool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeTool:
    monkeypatch.setattr(flashing, "PAUSE_S", 0.0)
    return FakeTool(tmp_path, tool.program, monkeypatch)


def test_every_tool_is_found_and_tried_here() -> None:
    assert set(flash_tools()) == set(OPTIONS) == {recorded.tool for recorded in OUTPUTS}
    assert {name for name, _ in EXACT} == set(OPTIONS)


@pytest.mark.parametrize(("name", "what"), EXACT, ids=lambda value: value.replace(" ", "-"))
def test_a_tool_gets_exactly_these_arguments(
    name: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = flash_tool(name)
    stand_in = fake(tool, tmp_path, monkeypatch)
    stand_in.answers((0, SUCCESS.get(name, "")))
    asked = what.split()[0]
    done = flashing.run_tool(tool, asked, job(name, what), "board")
    got = [["{script}" if w.endswith("/script") else w for w in call] for call in stand_in.calls]
    assert got == EXACT[name, what]
    assert (done.tool, done.attempts) == (name, 1)


def test_jlink_is_told_what_to_do_in_a_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = flash_tool("jlink")
    stand_in = fake(tool, tmp_path, monkeypatch)
    stand_in.answers((0, SUCCESS["jlink"]))
    flashing.run_tool(tool, "flash", job("jlink", "flash erase"), "board")
    assert stand_in.scripts == 'r\nerase\nloadfile "build/image.hex"\nr\ng\nqc\n'
    gentle = tool.commands("flash", job("jlink", "flash gentle"))
    assert gentle[0].script.startswith("RSetType 2\nr\n")


@pytest.mark.parametrize("recorded", OUTPUTS, ids=lambda r: f"{r.tool}-{r.failure}")
def test_what_a_tool_printed_becomes_the_named_failure(
    recorded: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = flash_tool(recorded.tool)
    fake(tool, tmp_path, monkeypatch).answers((recorded.code, recorded.text))
    with pytest.raises(EdgecError) as caught:
        flashing.run_tool(tool, "flash", job(recorded.tool), "nucleo (066BFF555)")
    failure = FAILURES[recorded.failure]
    assert caught.value.name == recorded.failure
    assert type(caught.value) is failure.error
    assert f"nucleo (066BFF555): {recorded.tool}: {failure.message}" in caught.value.message
    assert recorded.text.strip().splitlines()[-1] in caught.value.message
    assert caught.value.hint


def test_every_failure_is_one_that_happened() -> None:
    seen = {recorded.failure for recorded in OUTPUTS}
    elsewhere = {"drive-not-found", "timeout", "failed", "not-running"}
    assert seen | elsewhere == set(FAILURES)


def test_absent_is_exit_3_and_broken_is_exit_8() -> None:
    absent = {"probe-not-found", "probe-ambiguous", "port-not-found", "not-in-bootloader"}
    for name, failure in FAILURES.items():
        expected = DeviceError if name in absent | {"drive-not-found"} else InfrastructureError
        assert failure.error is expected, name


def test_a_permission_failure_shows_the_rule_that_mends_it() -> None:
    error = failed("permission", "nucleo", vendors=flash_tool("st_flash").vendors)
    rule = 'SUBSYSTEM=="usb", ATTR{idVendor}=="0483", MODE="0660", GROUP="plugdev"'
    assert rule in error.hint
    assert "/etc/udev/rules.d/60-edgec.rules" in error.hint


UNLOCKING = ("auto_unlock=true", "--allow-erase-all", "unlock", "--readunprotect", "recover")


@pytest.mark.parametrize(
    "recorded", [r for r in OUTPUTS if r.failure == "locked"], ids=lambda r: r.tool
)
def test_a_locked_chip_is_left_as_it_is(
    recorded: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = flash_tool(recorded.tool)
    stand_in = fake(tool, tmp_path, monkeypatch)
    stand_in.answers((recorded.code, recorded.text))
    with pytest.raises(InfrastructureError) as caught:
        flashing.run_tool(tool, "flash", job(recorded.tool), "board")
    assert caught.value.name == "locked"
    # Not tried again, not under reset, and nothing on the command line opens or erases it.
    assert len(stand_in.calls) == 1
    words = " ".join(word for call in stand_in.calls for word in call) + stand_in.scripts
    words = words.replace("auto_unlock=false", "")
    assert not any(word in words for word in (*UNLOCKING, "erase", "mass"))


@pytest.mark.parametrize("name", sorted(OPTIONS))
@pytest.mark.parametrize("what", ("flash", "flash erase", "flash gentle", "reset", "erase"))
def test_nothing_but_unlock_opens_a_chip(name: str, what: str) -> None:
    tool = flash_tool(name)
    try:
        commands = tool.commands(what.split()[0], job(name, what))
    except UsageError:
        return
    text = " ".join(f"{command} {command.script}" for command in commands)
    text = text.replace("auto_unlock=false", "")
    assert not any(word in text for word in UNLOCKING)


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_what_a_tool_cannot_do_is_refused(name: str) -> None:
    tool = flash_tool(name)
    for what in ("erase", "unlock", "gentle"):
        asked = Job(images=IMAGES, options=OPTIONS[name], **{what: True})  # type: ignore[arg-type]
        if what in tool.can:
            assert tool.commands("flash", asked)
        else:
            with pytest.raises(UsageError, match=f"{name} cannot "):
                tool.commands("flash", asked)
    for what, build in (("reset", tool.reset), ("erase", tool.erase)):
        if build is None:
            with pytest.raises(UsageError, match=f"{name} cannot "):
                tool.commands(what, job(name))
    if "location" not in tool.can:
        with pytest.raises(UsageError, match="by its USB location"):
            tool.commands("flash", Job(images=IMAGES, options=OPTIONS[name], location="1-4"))


def test_openocd_unlocks_only_where_the_profile_says_how() -> None:
    tool = flash_tool("openocd")
    untold = Job(images=IMAGES, options={"config": "x.cfg"}, unlock=True)
    with pytest.raises(UsageError, match="openocd cannot open a locked chip"):
        tool.commands("flash", untold)


def test_openocd_tells_clones_apart_by_where_they_are_plugged_in() -> None:
    here = Job(images=IMAGES, options=OPTIONS["openocd"], location="1-4.2")
    (command,) = flash_tool("openocd").commands("flash", here)
    assert "adapter usb location 1-4.2" in command.argv


def test_an_accident_is_tried_again_and_at_last_gently(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = flash_tool("pyocd")
    stand_in = fake(tool, tmp_path, monkeypatch)
    no_ack = next(r for r in OUTPUTS if (r.tool, r.failure) == ("pyocd", "no-answer"))
    stand_in.answers((1, no_ack.text), (1, no_ack.text), (0, ""))
    notes: list[str] = []
    done = flashing.run_tool(tool, "flash", job("pyocd"), "board", note=notes.append)
    first, second, third = stand_in.calls
    assert first == second == EXACT["pyocd", "flash"][0]
    assert third == EXACT["pyocd", "flash gentle"][0]
    assert (done.attempts, done.gentle) == (3, True)
    assert notes[0].endswith("trying again")
    assert notes[1].endswith("trying again, under reset and slowly")


def test_there_are_two_more_tries_and_no_third(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, calls in (("pyocd", 3), ("dfu_util", 2)):
        tool = flash_tool(name)
        folder = tmp_path / name
        folder.mkdir()
        stand_in = fake(tool, folder, monkeypatch)
        usb = next(r for r in OUTPUTS if (r.tool, r.failure) == (name, "usb"))
        stand_in.answers((usb.code, usb.text))
        with pytest.raises(InfrastructureError):
            flashing.run_tool(tool, "flash", job(name), "board")
        assert len(stand_in.calls) == calls


@pytest.mark.parametrize("name", sorted(SUCCESS))
def test_a_tool_that_ends_with_0_must_say_that_it_succeeded(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = flash_tool(name)
    fake(tool, tmp_path, monkeypatch).answers((0, "bye\n"))
    with pytest.raises(InfrastructureError, match="the tool failed"):
        flashing.run_tool(tool, "flash", job(name), "board")


def test_a_tool_that_hangs_is_ended_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = flash_tool("dfu_util")
    monkeypatch.setattr(flashing, "PAUSE_S", 0.0)
    alive = tmp_path / "alive"
    FakeTool(tmp_path, tool.program, monkeypatch, before=f"(sleep 1; touch {alive}) & wait")
    with pytest.raises(InfrastructureError) as caught:
        flashing.run_tool(tool, "flash", job("dfu_util"), "board", timeout_s=0.2)
    assert caught.value.name == "timeout"
    time.sleep(1.0)
    assert not alive.exists()


def test_a_missing_tool_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flashing, "program_path", lambda _: None)
    with pytest.raises(ToolMissingError, match="pyocd is not installed") as caught:
        flashing.run_tool(flash_tool("pyocd"), "flash", job("pyocd"), "board")
    assert caught.value.hint == "pip install pyocd"


@pytest.mark.parametrize("board", board_names())
def test_every_board_names_tools_that_are_there_with_options_they_know(board: str) -> None:
    target = load_target(board)
    assert target.board is not None
    for name, options in target.board.flash.items():
        tool = flash_tool(name)
        port = "/dev/ttyACM0" if "port" in tool.can or name == "uf2" else ""
        assert tool.commands("flash", Job(images=IMAGES, options=options, port=port))


def test_a_wrong_option_is_refused_with_the_right_one() -> None:
    with pytest.raises(TargetError) as caught:
        flash_tool("pyocd").check(Job(images=IMAGES, options={"targt": "nrf52840"}))
    assert caught.value.hint == "did you mean 'target'?"
    with pytest.raises(TargetError, match="key 'target' is missing"):
        flash_tool("pyocd").check(Job(images=IMAGES))
    with pytest.raises(TargetError, match="unknown flash tool 'board'"):
        flash_tool("board")


REAL = {
    "openocd": ({"interface": "interface/stlink.cfg", "target": "target/stm32f4x.cfg"},
                "probe-not-found"),
    "st_flash": (OPTIONS["st_flash"], "probe-not-found"),
    "dfu_util": (OPTIONS["dfu_util"], "not-in-bootloader"),
    "bossac": (OPTIONS["bossac"], "not-in-bootloader"),
    "pyocd": (OPTIONS["pyocd"], "probe-not-found"),
    "esptool": (OPTIONS["esptool"], "port-not-found"),
}  # fmt: skip


@pytest.mark.parametrize("gentle", (False, True), ids=("usual", "gentle"))
@pytest.mark.parametrize("name", sorted(REAL))
def test_the_real_tool_takes_our_arguments_and_finds_no_board(
    name: str, gentle: bool, tmp_path: Path
) -> None:
    tool = flash_tool(name)
    options, expected = REAL[name]
    if (program := program_path(tool.program)) is None:
        lack("flash", f"no {tool.program}: {tool.install}")
    if gentle and "gentle" not in tool.can:
        return
    for kind in IMAGES:
        (tmp_path / f"image.{kind}").write_bytes(bytes(64))
    absent = Job(
        images={kind: str(tmp_path / f"image.{kind}") for kind in IMAGES},
        options=options,
        serial="0E0E0E0E0E" if "serial" in tool.can else "",
        port="/dev/ttyNOPE" if "port" in tool.can else "",
        gentle=gentle,
    )
    for command in tool.commands("flash", absent):
        argv = [program, *command.argv[1:]]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode != 0
        assert tool.failure(done.stdout + done.stderr) == expected


def test_dfu_util_is_forgiven_a_chip_that_leaves_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = flash_tool("dfu_util")
    stand_in = fake(tool, tmp_path, monkeypatch)
    left = "File downloaded successfully\nSubmitting leave request...\n"
    stand_in.answers((74, left + "dfu-util: Error during download get_status\n"))
    assert flashing.run_tool(tool, "flash", job("dfu_util"), "board").attempts == 1
    stand_in.answers((74, "Erase done.\ndfu-util: Error during download get_status\n"))
    with pytest.raises(InfrastructureError):
        flashing.run_tool(tool, "flash", job("dfu_util"), "board")


def test_a_copy_to_a_drive_is_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = fake(uf2.TOOL, tmp_path, monkeypatch)
    broken = next(r for r in OUTPUTS if (r.tool, r.failure) == ("uf2", "usb"))
    stand_in.answers((1, broken.text))
    with pytest.raises(InfrastructureError):
        flashing.run_tool(uf2.TOOL, "flash", job("uf2"), "board")
    assert len(stand_in.calls) == 1


def drive(folder: Path, name: str, board_id: str) -> Path:
    mounted = folder / name
    mounted.mkdir()
    info = f"UF2 Bootloader v3.0\nModel: Raspberry Pi RP2\nBoard-ID: {board_id}\n"
    (mounted / "INFO_UF2.TXT").write_text(info)
    return mounted


def test_a_uf2_goes_to_the_one_drive_of_its_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drives = [drive(tmp_path, "RPI RP2", "RPI-RP2"), drive(tmp_path, "RP2350", "RP2350")]
    mounts = tmp_path / "mounts"

    def mount(*folders: Path) -> None:
        lines = [f"/dev/sda1 {str(f).replace(' ', chr(92) + '040')} vfat rw 0 0" for f in folders]
        mounts.write_text("\n".join(["proc /proc proc rw 0 0", *lines, ""]))

    monkeypatch.setattr(uf2, "MOUNTS", mounts)
    image = tmp_path / "image.uf2"
    image.write_bytes(bytes(512))
    wanted = Job(images={"uf2": str(image)}, options=OPTIONS["uf2"])
    for folders, name in (([], "drive-not-found"), ([drives[1]], "drive-not-found")):
        mount(*folders)
        with pytest.raises(DeviceError) as caught:
            flashing.run_tool(uf2.TOOL, "flash", wanted, "pico")
        assert caught.value.name == name
    mount(*drives)
    flashing.run_tool(uf2.TOOL, "flash", wanted, "pico")
    assert (drives[0] / "image.uf2").read_bytes() == bytes(512)
    assert not (drives[1] / "image.uf2").exists()
    mount(*drives, drive(tmp_path, "second", "RPI-RP2"))
    with pytest.raises(DeviceError) as caught:
        flashing.run_tool(uf2.TOOL, "flash", wanted, "pico")
    assert caught.value.name == "probe-ambiguous"


@pytest.mark.parametrize(
    ("name", "says", "version"),
    [
        ("pyocd", "0.46.0\n", "0.46.0"),
        ("openocd", "Open On-Chip Debugger 0.12.0\nLicensed under GNU GPL v2\n", "0.12.0"),
        ("esptool", "esptool v5.6.0\n5.6.0\n", "5.6.0"),
        ("bossac", "Usage: bossac [OPTION...] [FILE]\n(BOSSA) Version 1.9.1\n", "1.9.1"),
        ("dfu_util", "dfu-util 0.11\n\nCopyright 2005-2009 Weston Schmidt\n", "0.11"),
        ("jlink", "cannot start\n", "unknown"),
    ],
)
def test_doctor_learns_the_version_of_a_tool(
    name: str, says: str, version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = flash_tool(name)
    stand_in = FakeTool(tmp_path, tool.program, monkeypatch)
    stand_in.answers((0, says))
    assert installed_version(tool) == version
    assert stand_in.calls == [list(tool.asks)]
    found = {finding.name: finding for finding in doctor.findings()}
    assert found[tool.program].version == version
    assert found[tool.program].where.endswith(f"/bin/{tool.program}")
