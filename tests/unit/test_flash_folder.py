"""A firmware folder runs the same command lines as edgec, by make and nothing else."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from edgec.codegen.flash_folder import flash_json, flash_mk
from edgec.codegen.project import TEMPLATES, render_project
from edgec.pipeline.errors import UsageError
from edgec.targets.flash_tool import Job, flash_tool
from edgec.targets.profile import board_names, load_target
from tests.tiny_model import MODEL, write_tiny

TARGETS = {"flash": "flash", "erase": "erase", "reset": "reset"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose images are there already, so that make has nothing to compile."""
    folder = tmp_path_factory.mktemp("fw")
    shutil.copy(TEMPLATES / "common" / "Makefile", folder)
    for name in ("flags.mk", "project.mk"):
        (folder / name).touch()
    return folder


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "-n", "-C", str(folder), *words], capture_output=True, text=True, check=False
    )


MADE = [name for name in board_names() if not load_target(name).toolchain.builder]


@pytest.mark.parametrize("board", MADE)
def test_make_runs_what_edgec_runs(board: str, folder: Path) -> None:
    target = load_target(board)
    assert target.board is not None
    (folder / "flash.mk").write_text(flash_mk(target))
    origin = next(m.origin for m in target.memories if m.kind == "flash")
    images = {kind: f"build/image.{kind}" for kind in ("elf", "bin", "hex", "uf2")}
    for name, options in target.board.flash.items():
        tool = flash_tool(name)
        by_serial = "serial" in tool.can
        job = Job(
            images=images,
            options=options,
            address=origin,
            serial="S N" if by_serial else "",
            usb_id=target.board.usb[0] if by_serial else "",
            port="" if by_serial else "/dev/tty X",
        )
        for what in TARGETS:
            select = "SERIAL=S N" if by_serial else "PORT=/dev/tty X"
            done = make(folder, what, f"FLASHER={name}", select)
            try:
                commands = tool.commands(what, job)
            except UsageError:
                assert done.returncode != 0 and f"{name} cannot do this" in done.stderr
                continue
            assert done.returncode == 0, done.stderr
            line = next(text for text in done.stdout.splitlines() if tool.program in text)
            ran = [shlex.split(part) for part in line.split(" && ")]
            if commands[0].script:
                printed, *ran = ran
                text = printed[1].replace("\\n", "\n").replace("%%", "%")
                assert (printed[0], text) == ("printf", commands[0].script)
            wanted = [
                [f"build/{tool.program}.script" if word == "{script}" else word for word in c.argv]
                for c in commands
            ]
            assert ran == wanted


def test_without_a_choice_make_takes_the_board_that_is_there(folder: Path) -> None:
    (folder / "flash.mk").write_text(flash_mk(load_target("nucleo-f446re")))
    assert "pyocd load --no-wait -t stm32f446retx" in make(folder, "flash").stdout
    assert "unknown" not in make(folder, "flash", "FLASHER=st_flash").stdout
    wrong = make(folder, "flash", "FLASHER=avrdude")
    assert wrong.returncode != 0
    assert "no tool avrdude; tools: pyocd probe_rs" in wrong.stderr


def test_uf2_wants_to_be_told_the_drive(folder: Path) -> None:
    (folder / "flash.mk").write_text(flash_mk(load_target("pico")))
    refused = make(folder, "flash", "FLASHER=uf2")
    assert refused.returncode != 0 and "uf2 cannot do this without PORT=" in refused.stderr
    line = make(folder, "flash", "FLASHER=uf2", "PORT=/media/me/RPI-RP2").stdout
    assert 'cp "build/image.uf2" "/media/me/RPI-RP2/"' in line


def test_an_emulated_target_has_no_board_to_flash(folder: Path) -> None:
    (folder / "flash.mk").write_text(flash_mk(load_target("cortex-m4")))
    refused = make(folder, "flash")
    assert refused.returncode != 0
    assert "there is no board to flash: make run" in refused.stderr


def test_bench_and_monitor_want_a_port(folder: Path) -> None:
    for what in ("bench", "monitor"):
        refused = make(folder, what)
        assert refused.returncode != 0 and "which serial port is the board's" in refused.stderr
        assert '--port "/dev/ttyACM0"' in make(folder, what, "PORT=/dev/ttyACM0").stdout


@pytest.mark.parametrize("board", board_names())
def test_nothing_in_a_folder_opens_a_locked_chip(board: str) -> None:
    target = load_target(board)
    text = (flash_mk(target) + flash_json(target, "0" * 16)).replace("auto_unlock=false", "")
    assert "unlock" not in text and "allow-erase-all" not in text and "readunprotect" not in text


def test_flash_json_says_the_same_to_other_programs() -> None:
    facts = json.loads(flash_json(load_target("nucleo-f446re"), "0123456789abcdef"))
    assert facts["build"] == "0123456789abcdef" and facts["address"] == 0x08000000
    (command,) = facts["tools"]["st_flash"]["flash"]
    assert command["argv"] == [
        "st-flash", "--serial", "$(SERIAL)", "--reset", "write", "$(BUILD)/image.bin", "0x08000000"
    ]  # fmt: skip
    assert "reset" not in facts["tools"].get("dfu_util", {})
    assert facts["tools"]["jlink"]["flash"][0]["script"].startswith("r\nloadfile")


def test_the_build_is_named_by_all_that_goes_into_it(tmp_path: Path) -> None:
    def build_of(name: str, target: str, change: tuple[str, str] | None = None) -> str:
        lib = write_tiny(tmp_path / name / "lib")
        if change is not None:
            source = lib / "tiny.c"
            source.write_text(source.read_text().replace(*change))
        project = render_project(lib, load_target(target), tmp_path / name / "fw", MODEL)
        facts: dict[str, str] = json.loads((project / "firmware.json").read_text())
        return facts["build"]

    usual = build_of("a", "cortex-m4")
    assert usual == build_of("b", "cortex-m4")
    others = {
        build_of("c", "cortex-m3"),
        build_of("d", "nucleo-f446re"),
        build_of("e", "cortex-m4", ("return 0;", "return 1;")),
    }
    assert len(others | {usual}) == 4
