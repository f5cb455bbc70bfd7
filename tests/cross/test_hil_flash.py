"""A lab's board that has to be flashed: by its probe's serial number, held all the while."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgec.pipeline.cli import main
from edgec.pipeline.driver import build
from edgec.targets import locks, session
from edgec.targets.device_protocol import Timeouts
from edgec.targets.profile import load_target
from tests.support.bench_board import BenchBoard
from tests.support.models import small_cnn
from tests.support.usb import FakeUsb

BOARD, SERIAL = "nucleo-f446re", "066BFF555"


def edgec(*words: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(word) for word in words])
    return int(stop.value.code or 0)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pack")
    model = folder / "small.tflite"
    model.write_bytes(small_cnn())
    build(model, target=BOARD, verify=False, out=folder / "bundle")
    assert edgec("hil", "pack", "-q", "--samples", "1", folder / "bundle", "-o", folder / "p") == 0
    return folder / "p"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BenchBoard]:
    board = BenchBoard(tmp_path, load_target(BOARD), monkeypatch)
    FakeUsb(tmp_path, monkeypatch).nucleo(SERIAL, "1-1", str(board.console))
    monkeypatch.setenv("EDGEC_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setattr(session, "Timeouts", lambda: Timeouts(reply_s=0.4))
    yield board
    board.stop()


def write_lab(desk: BenchBoard, serial: str = SERIAL) -> Path:
    path = desk.folder.parent / "lab.toml"
    path.write_text(
        f'[[board]]\nname = "f446-1"\ntype = "{BOARD}"\nprobe = "{serial}"\ntool = "pyocd"\n'
    )
    return path


def run(pack: Path, lab: Path, *words: object) -> tuple[int, dict[str, Any]]:
    out = lab.parent / "report.json"
    code = edgec("hil", "run", "-q", pack, "--lab", lab, "-o", out, *words)
    text = out.read_text()
    (job,) = json.loads(text)["jobs"]
    return code, {**job, "text": text}


def test_a_board_is_flashed_verified_and_measured(pack: Path, desk: BenchBoard) -> None:
    code, job = run(pack, write_lab(desk))
    assert (code, job["outcome"], job["board"]) == (0, "passed", "f446-1")
    loads = [call for call in desk.calls if call[0] == "load"]
    assert [call[call.index("-u") + 1] for call in loads] == [SERIAL, SERIAL]
    assert [Path(call[-1]).name for call in loads] == ["image.elf", "profile.elf"]
    result = job["result"]
    assert result["latency"]["unit"] == "cycles" and result["method"]["layers"] == "profile"
    assert (result["target"]["board"], result["target"]["probe"]) == ("f446-1", "pyocd")
    assert len(result["target"]["uid_hash"]) == 16
    assert SERIAL not in job["text"], "a report may be shared"


def test_a_board_that_somebody_flashes_is_left_alone(
    pack: Path, desk: BenchBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = write_lab(desk)
    with locks.held(SERIAL):
        code, job = run(pack, lab, "--wait", 0)
    assert (code, job["outcome"]) == (8, "infrastructure")
    assert "others have f446-1" in job["message"] and desk.calls == []


def test_a_board_that_stays_silent_is_sick(pack: Path, desk: BenchBoard) -> None:
    desk.be_deaf(mends=False)
    code, job = run(pack, write_lab(desk))
    assert (code, job["outcome"]) == (8, "infrastructure")
    assert "did not answer HELLO" in job["message"]
    assert [call[0] for call in desk.calls if call[0] != "json"] == ["load", "reset"]


def test_a_board_that_is_not_plugged_in_is_sick(pack: Path, desk: BenchBoard) -> None:
    code, job = run(pack, write_lab(desk, "066BFF556"))
    assert (code, job["outcome"]) == (8, "infrastructure")
    assert [call[0] for call in desk.calls if call[0] != "json"] == []
