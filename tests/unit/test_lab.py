"""The file of a lab is read strictly, and says how each board is reached."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from edgec.pipeline.errors import DeviceError, InfrastructureError, UsageError
from edgec.pipeline.hil.quarantine import put_in_quarantine, quarantine_path, quarantined
from edgec.targets.identity import uid_hash
from edgec.targets.lab import Lab, load_lab, reached
from edgec.targets.locks import held

WHOLE = """
name = "desk"
golden = "known"
[[board]]
name = "f446-1"
type = "nucleo-f446re"
probe = "066BFF515567"
console = "/dev/serial/by-id/usb-STM-if02"
tool = "openocd"
[[board]]
name = "sim"
type = "cortex-m4"
[[board]]
name = "wired"
type = "stm32f4discovery"
console = "/dev/ttyUSB0"
place = "disco-1"
[[board]]
name = "pi4"
type = "rpi4"
ssh = "pi@10.0.0.4"
[labgrid]
python = "labgrid/bin/python"
coordinator = "10.0.0.1:20408"
"""


def lab_of(folder: Path, text: str) -> Lab:
    path = folder / "lab.toml"
    path.write_text(text)
    return load_lab(path)


def test_every_board_is_reached_its_own_way(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, WHOLE)
    targets = {board.name: reached(board) for board in lab.boards}
    assert {name: target.runner for name, target in targets.items()} == {
        "f446-1": "board", "sim": "qemu", "wired": "port", "pi4": "ssh",
    }  # fmt: skip
    options = targets["f446-1"].runner_options
    assert (options["serial"], options["tool"]) == ("066BFF515567", "openocd")
    assert targets["wired"].runner_options["port"] == "/dev/ttyUSB0"
    assert targets["pi4"].runner_options["device"] == "pi@10.0.0.4"
    assert [board.key for board in lab.boards] == [
        "066BFF515567", "lab-sim", "/dev/ttyUSB0", "lab-pi@10.0.0.4",
    ]  # fmt: skip
    assert lab.golden == tmp_path / "known"
    assert lab.labgrid is not None and lab.labgrid.python == tmp_path / "labgrid/bin/python"


BOARD = '[[board]]\nname = "a"\ntype = "cortex-m4"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("board = 1", "board is int, list wanted"),
        ("board = []", "no boards"),
        (BOARD + "serial = 1", r"board 0: unknown key 'serial'"),
        (BOARD + 'nmae = "b"', "unknown key 'nmae'"),
        ('[[board]]\nname = "a b"\ntype = "cortex-m4"', "'a b' is not a name"),
        ('[[board]]\nname = "a"\ntype = "cortex-m"', "unknown target 'cortex-m'"),
        ('[[board]]\nname = "a"', "key 'type' is missing"),
        (BOARD + BOARD, "two boards have the name 'a'"),
        (BOARD + 'probe = "1"\n' + BOARD.replace('"a"', '"b"') + 'probe = "1"', "the probe '1'"),
        (BOARD + 'ssh = "pi"\nprobe = "1"', "ssh does not go with probe"),
        (BOARD + 'place = "p"', r"board 'a' has a place, but there is no \[labgrid\]"),
        (BOARD + "[labgrid]", "labgrid: key 'python' is missing"),
        ("[[board", "not a TOML file"),
    ],
)
def test_what_is_wrong_with_a_lab_is_said(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said):
        lab_of(tmp_path, text)


def test_a_lab_that_is_not_there_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read") as error:
        load_lab(tmp_path / "lab.toml")
    assert "docs/hil.md" in error.value.hint


def test_an_emulated_core_has_no_probe(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, BOARD + 'probe = "1"')
    with pytest.raises(UsageError, match="cortex-m4 is not a board"):
        reached(lab.boards[0])
    lab = lab_of(tmp_path, BOARD + 'ssh = "a@b"')
    with pytest.raises(UsageError, match="not a computer that SSH reaches"):
        reached(lab.boards[0])
    lab = lab_of(tmp_path, '[[board]]\nname = "a"\ntype = "rpi4"\nssh = "unknown"')
    with pytest.raises(DeviceError, match="no device 'unknown'"):
        reached(lab.boards[0])


def test_quarantine_is_a_list_beside_the_lab(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, BOARD)
    assert quarantined(lab) == {}
    put_in_quarantine(lab, "a", "hot")
    assert json.loads(quarantine_path(lab).read_text()) == {"a": "hot"}
    quarantine_path(lab).write_text("[1]")
    with pytest.raises(UsageError, match=r"quarantine\.json: cannot be read"):
        quarantined(lab)


def test_a_lock_is_the_threads_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever leased a board may flash it, whose tool takes the same lock; others wait."""
    monkeypatch.setenv("EDGEC_LOCKS_DIR", str(tmp_path))
    refused: list[str] = []

    def other() -> None:
        try:
            with held("x"):
                pass
        except InfrastructureError as error:
            refused.append(error.name)

    with held("x"):
        with held("x"):
            pass
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert refused == ["probe-busy"], "an inner release frees nothing"
    other()
    assert refused == ["probe-busy"]


def test_a_serial_number_is_hashed_with_a_salt_that_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEC_CONFIG_DIR", str(tmp_path / "one"))
    first = uid_hash("066BFF515567")
    assert len(first) == 16 and first == uid_hash("066BFF515567") != uid_hash("066BFF515568")
    assert (tmp_path / "one" / "salt").stat().st_mode & 0o077 == 0
    monkeypatch.setenv("EDGEC_CONFIG_DIR", str(tmp_path / "two"))
    assert uid_hash("066BFF515567") != first
