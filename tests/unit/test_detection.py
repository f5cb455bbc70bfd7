"""Boards are found by what names them; where that is not enough nothing is guessed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edgec.pipeline import cli
from edgec.pipeline.errors import DeviceError, EdgecError, UsageError
from edgec.targets.detection import Plugged, choose, scan
from edgec.targets.locks import held, port_key
from edgec.targets.profile import load_target
from edgec.targets.runners.board import Wish, at_board, find_board
from tests.support.fake_tool import FakeTool
from tests.support.usb import FakeUsb


@pytest.fixture
def usb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeUsb:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return FakeUsb(tmp_path, monkeypatch)


def pyocd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *probes: dict[str, str | None]) -> None:
    listed = {"version": {"major": 1, "minor": 1}, "status": 0, "boards": probes}
    FakeTool(tmp_path, "pyocd", monkeypatch).answers((0, json.dumps(listed)))


def probe(serial: str, name: str | None, target: str | None) -> dict[str, str | None]:
    return {"unique_id": serial, "board_name": name, "target": target, "info": "x"}


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main(list(arguments))
    code = left.value.code
    return code if isinstance(code, int) else int(bool(code))


def test_a_probe_and_its_console_are_joined_by_their_serial_number(usb: FakeUsb) -> None:
    usb.nucleo("AAA", "1-1", "/dev/ttyACM1")
    usb.nucleo("BBB", "1-2", "/dev/ttyACM0")
    first, second = scan()
    assert (first.serial, first.port) == ("AAA", str(usb.by_id / "usb-STM_STLINK_AAA-if02"))
    assert (second.serial, second.port) == ("BBB", str(usb.by_id / "usb-STM_STLINK_BBB-if02"))
    assert first.boards == ("nucleo-f446re", "nucleo-f746zg", "nucleo-l4r5zi", "stm32f4discovery")
    assert (first.certain, first.note) == (False, "by VID:PID alone")


def test_clones_with_one_serial_number_are_joined_by_their_place(usb: FakeUsb) -> None:
    for location, device in (("1-1", "/dev/ttyACM1"), ("1-2", "/dev/ttyACM0")):
        usb.device(location, "0483:374b", "303030303031")
        usb.port(device, "0483:374b", "303030303031", location)
    assert [(t.location, t.port) for t in scan()] == [
        ("1-1", "/dev/ttyACM1"),
        ("1-2", "/dev/ttyACM0"),
    ]


def test_a_probe_with_two_ports_is_one_thing(usb: FakeUsb) -> None:
    usb.device("1-3", "1366:1015", "000683000001", "J-Link")
    for device, interface in (("/dev/ttyACM0", "if00"), ("/dev/ttyACM1", "if02")):
        usb.port(device, "1366:1015", "000683000001", "1-3", f"usb-SEGGER_J-Link-{interface}")
    (only,) = scan()
    assert only.port.endswith("if00")
    assert only.boards == ("nrf52840-dk",)


def test_unprintable_serial_numbers_and_hubs_name_nothing(usb: FakeUsb) -> None:
    usb.device("1-1", "0483:3748", "\x0fQ\x06\x89")
    usb.device("1-2", "1d6b:0002", "hub")
    (usb.sysfs / "1-2" / "bDeviceClass").write_text("09\n")
    usb.device("1-3", "046d:c52b", "a mouse")
    (only,) = scan()
    assert (only.serial, only.location) == ("", "1-1")


def test_what_pyocd_read_names_a_board(
    usb: FakeUsb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usb.nucleo("AAA", "1-1", "/dev/ttyACM0")
    usb.nucleo("BBB", "1-2", "/dev/ttyACM1")
    usb.nucleo("CCC", "1-3", "/dev/ttyACM2")
    pyocd(
        tmp_path, monkeypatch,
        probe("AAA", "NUCLEO-F446RE", "stm32f446retx"), probe("BBB", "NUCLEO-G071RB", "stm32g071"),
        probe("CCC", "Generic", "cortex_m"), probe("DDD", "nRF52840-DK", "nrf52840"),
    )  # fmt: skip
    first, second, third, elsewhere = scan()
    assert (first.boards, first.certain, first.note) == (("nucleo-f446re",), True, "by pyOCD")
    assert (second.boards, second.note) == ((), "pyOCD says NUCLEO-G071RB")
    assert not third.certain and len(third.boards) > 1
    assert (elsewhere.serial, elsewhere.boards) == ("DDD", ("nrf52840-dk",))


@pytest.mark.parametrize("answer", ("", "{}", "not json", '{"boards": [{}]}'))
def test_a_pyocd_that_talks_nonsense_changes_nothing(
    answer: str, usb: FakeUsb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usb.nucleo("AAA", "1-1", "/dev/ttyACM0")
    FakeTool(tmp_path, "pyocd", monkeypatch).answers((1, answer))
    (only,) = scan()
    assert only.note == "by VID:PID alone"


def test_a_daplink_is_named_by_how_its_serial_number_begins(usb: FakeUsb) -> None:
    usb.device("1-1", "0d28:0204", "9900000031864e45", "DAPLink CMSIS-DAP")
    usb.device("1-2", "0d28:0204", "1234000031864e45", "DAPLink CMSIS-DAP")
    known, unknown = scan()
    assert (known.boards, known.certain) == (("microbit",), True)
    assert not unknown.certain


def test_the_only_board_that_it_may_be_is_taken() -> None:
    there = [
        Plugged("AAA", boards=("nucleo-f446re", "nucleo-l4r5zi")),
        Plugged("BBB", boards=("nrf52840-dk",)),
    ]
    assert choose(there, "nucleo-l4r5zi").serial == "AAA"


def test_one_that_surely_is_it_goes_before_those_that_may_be() -> None:
    there = [
        Plugged("AAA", boards=("nucleo-f446re", "nucleo-l4r5zi")),
        Plugged("BBB", boards=("nucleo-l4r5zi",), certain=True),
    ]
    assert choose(there, "nucleo-l4r5zi").serial == "BBB"


def test_another_board_than_it_surely_is_is_refused() -> None:
    there = [Plugged("AAA", boards=("nucleo-f446re",), certain=True, note="by pyOCD")]
    with pytest.raises(DeviceError, match=r"AAA is a nucleo-f446re \(by pyOCD\), not a nucleo-l4"):
        choose(there, "nucleo-l4r5zi", serial="AAA")


def test_a_part_of_a_serial_number_chooses_nothing(usb: FakeUsb) -> None:
    with pytest.raises(DeviceError) as caught:
        choose([Plugged("066BFF555", boards=("nucleo-f446re",))], "nucleo-f446re", serial="066B")
    assert caught.value.name == "probe-not-found"
    assert "066BFF555" in caught.value.message


def test_where_usb_is_not_listed_a_serial_number_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgec.targets.usb.SYSFS", tmp_path / "none")
    assert choose([], "nucleo-f446re", serial="AAA").serial == "AAA"
    with pytest.raises(DeviceError):
        choose([], "nucleo-f446re")


def test_nothing_plugged_in_is_said() -> None:
    with pytest.raises(DeviceError, match="nothing is plugged in"):
        choose([], "nucleo-f446re")


@pytest.fixture
def firmware(tmp_path: Path) -> Path:
    """A firmware folder that is never compiled, because no board is found before."""
    folder = tmp_path / "fw"
    folder.mkdir()
    (folder / "firmware.json").write_text(json.dumps({"target": "nucleo-f446re"}))
    return folder


def test_two_identical_probes_are_refused_with_the_list(
    usb: FakeUsb, firmware: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    usb.nucleo("066AFF", "1-1", "/dev/ttyACM0")
    usb.nucleo("066BFF", "1-2", "/dev/ttyACM1")
    tool = FakeTool(tmp_path, "st-flash", monkeypatch)
    for command in (
        ["flash", str(firmware), "--runner", "st_flash"],
        ["monitor", "--board", "nucleo-f446re"],
    ):
        assert run(*command) == 3
        said = capsys.readouterr().err
        assert "more than one probe answers" in said
        assert "066AFF" in said and "066BFF" in said and "usb:1-2" in said
        assert "--serial" in said
    assert tool.calls == []


def test_clones_are_refused_until_their_place_is_named(
    usb: FakeUsb, firmware: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for location in ("1-1", "1-2"):
        usb.device(location, "0483:374b", "303030303031")
    tool = FakeTool(tmp_path, "st-flash", monkeypatch)
    words = ["flash", str(firmware), "--runner", "st_flash", "--serial"]
    assert run(*words, "303030303031", "--json") == 3
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["name"] == "probe-ambiguous"
    assert "usb:LOCATION" in error["hint"]
    assert tool.calls == []
    assert choose(scan(), "nucleo-f446re", serial="usb:1-2").location == "1-2"


def test_a_place_is_given_to_the_tool_only_where_the_serial_number_tells_nothing(
    usb: FakeUsb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeTool(tmp_path, "openocd", monkeypatch)
    usb.device("1-1", "0483:374b", "066AFF")
    for location in ("1-2", "1-3"):
        usb.device(location, "0483:374b", "303030303031")
    target = load_target("nucleo-f446re")

    def words(location: str) -> str:
        wish = Wish(serial=f"usb:{location}", tool="openocd")
        at_hand = find_board(at_board(target, wish))
        (command,) = at_hand.tool.commands("flash", at_hand.job(tmp_path / "image.elf"))
        return str(command)

    assert "adapter serial 066AFF" in words("1-1") and "location" not in words("1-1")
    assert "adapter usb location 1-2" in words("1-2") and "serial" not in words("1-2")
    at_hand = find_board(at_board(target, Wish(serial="usb:1-2", tool="st_flash")))
    with pytest.raises(UsageError, match="st_flash cannot choose a probe by its USB location"):
        at_hand.tool.commands("flash", at_hand.job(tmp_path / "image.elf"))


def test_a_console_may_be_an_adapter_that_is_wired_to_the_board(
    usb: FakeUsb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tool in ("picotool", "pyocd", "st-flash"):
        FakeTool(tmp_path, tool, monkeypatch).answers((0, '{"boards": []}'))
    usb.device("1-1", "2e8a:0003", "E0C9125B0D9B", "RP2 Boot")
    usb.device("1-2", "2e8a:000c", "E6614103E7", "Debug Probe")
    usb.port("/dev/ttyUSB0", "0403:6001", "FT123", "1-3")
    pico = load_target("pico")
    for tool, serial in (("picotool", "E0C9125B0D9B"), ("pyocd", "E6614103E7")):
        at_hand = find_board(at_board(pico, Wish(port="/dev/ttyUSB0", tool=tool)))
        assert (at_hand.plugged.serial, at_hand.plugged.port) == (serial, "/dev/ttyUSB0")
        assert at_hand.job(tmp_path / "image.elf").serial == serial


def test_a_port_of_one_of_two_probes_chooses_that(usb: FakeUsb) -> None:
    usb.nucleo("AAA", "1-1", "/dev/ttyACM0")
    usb.nucleo("BBB", "1-2", "/dev/ttyACM1")
    assert choose(scan(), "nucleo-f446re", port="/dev/ttyACM1").serial == "BBB"
    with pytest.raises(DeviceError) as caught:
        choose(scan(), "nucleo-f446re", port="/dev/ttyACM7")
    assert caught.value.name == "probe-ambiguous"


def test_a_chip_in_its_boot_loader_is_no_probe_and_a_probe_no_boot_loader(
    usb: FakeUsb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tool in ("dfu-util", "st-flash"):
        FakeTool(tmp_path, tool, monkeypatch)
    usb.nucleo("AAA", "1-1", "/dev/ttyACM0")
    board = load_target("nucleo-l4r5zi")
    with pytest.raises(DeviceError) as caught:
        find_board(at_board(board, Wish(tool="dfu_util")))
    assert caught.value.name == "not-in-bootloader"
    usb.device("1-2", "0483:df11", "2064399C4E42", "STM32 BOOTLOADER")
    assert find_board(at_board(board, Wish(tool="dfu_util"))).plugged.serial == "2064399C4E42"
    assert find_board(at_board(board, Wish(tool="st_flash"))).plugged.serial == "AAA"


def test_no_board_is_exit_3_and_no_tool_exit_4(
    usb: FakeUsb, firmware: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    FakeTool(tmp_path, "st-flash", monkeypatch)
    assert run("flash", str(firmware), "--runner", "st_flash") == 3
    assert "nothing is plugged in" in capsys.readouterr().err
    monkeypatch.setenv("PATH", str(tmp_path))
    # Tools that pip installed lie beside the interpreter.
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3"))
    usb.nucleo("AAA", "1-1", "/dev/ttyACM0")
    assert run("flash", str(firmware)) == 4
    assert "pip install pyocd" in capsys.readouterr().err


def test_unlock_and_yes_go_together(firmware: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--unlock"], ["--yes"], ["--unlock", "--erase"]):
        assert run("flash", str(firmware), *words) == 2
        assert "--unlock erases everything on the chip" in capsys.readouterr().err


def test_options_that_contradict_each_other_are_refused(
    firmware: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (
        ["bench", "x", "--baud", "9600"],
        ["bench", "x", "--serial", "AAA"],
        ["verify", "x", "--board", "nucleo-f446re", "--baud", "9600"],
        ["flash", str(firmware), "--board", "nucleo-l4r5zi"],
        ["monitor"],
        ["monitor", "--board", "cortex-m4"],
    ):
        assert run(*words) == 2, words
        assert capsys.readouterr().err.startswith("error: ")


def test_scan_shows_what_is_plugged_in(usb: FakeUsb, capsys: pytest.CaptureFixture[str]) -> None:
    usb.nucleo("AAA", "1-1", "/dev/ttyACM0")
    usb.device("1-4", "2e8a:0003", "E0C9125B0D9B", "RP2 Boot")
    assert run("boards", "scan", "--json") == 0
    nucleo, pico = json.loads(capsys.readouterr().out)
    assert nucleo["serial"] == "AAA" and nucleo["port"].endswith("-if02")
    assert pico["product"] == "RP2040 in its boot loader" and pico["boards"] == ["pico"]
    assert run("boards", "scan", "--ask", "--json") == 0
    asked, _ = json.loads(capsys.readouterr().out)
    assert "the serial port is not there" in asked["answer"]
    assert run("boards", "scan") == 0
    assert "by VID:PID alone" in capsys.readouterr().out


def test_the_known_boards_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("boards", "list", "--json") == 0
    boards = {board["board"]: board for board in json.loads(capsys.readouterr().out)}
    assert next(iter(boards["nucleo-f446re"]["flash"])) == "pyocd"
    assert boards["nucleo-f446re"]["untried"] is True


def test_a_probe_that_another_process_has_is_busy_and_then_free(
    usb: FakeUsb, tmp_path: Path
) -> None:
    held_there = (
        "import sys; from edgec.targets.locks import held\n"
        "with held('AAA'): print('held', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", held_there], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdin is not None and other.stdout is not None
    try:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(EdgecError, match=f"process {other.pid} has it") as caught, held("AAA"):
            pass
        assert caught.value.name == "probe-busy"
        with held("BBB"):
            pass
        other.stdin.close()
        with held("AAA", wait_s=20):
            pass
    finally:
        other.kill()
        other.wait()
        other.stdout.close()


def test_a_port_has_one_lock_whatever_it_is_called(tmp_path: Path) -> None:
    device = tmp_path / "ttyACM0"
    device.touch()
    (tmp_path / "by-id").symlink_to(device)
    assert port_key(str(tmp_path / "by-id")) == port_key(str(device))
    assert port_key("socket://127.0.0.1:1") == "socket://127.0.0.1:1"
