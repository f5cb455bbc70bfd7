"""What a firmware folder holds to reach its board without edgec: make variables and flash.json.

Both are made from the very command lines that edgec runs, with make variables in place of what is
known only on the spot.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from typing import Any

from edgec.targets.flash_tool import Command, FlashTool, Job, flash_tool
from edgec.targets.links.base import BAUD
from edgec.targets.profile import Target

SCHEMA = "edgec.flash/1"

_KINDS = ("elf", "bin", "hex", "uf2")


def flash_mk(target: Target) -> str:
    """Return the make variables that flash, erase and reset the target's board.

    `<WHAT>_<tool>` is a command line, `<WHAT>_<tool>_ONE` the same with the board chosen by
    `SELECT_<tool>`, which is SERIAL or PORT.
    """
    board = target.board
    tools = [flash_tool(name) for name in (board.flash if board is not None else ())]
    lines = [
        f"# How the board of target {target.name} is reached: FLASHER= SERIAL= PORT= BAUD=",
        f"FLASHERS := {' '.join(tool.name for tool in tools)}".rstrip(),
        f"FLASHER ?= {tools[0].name if tools else ''}".rstrip(),
        f"BAUD ?= {board.baud if board is not None else BAUD}",
    ]
    for tool in tools:
        select = _selector(tool)
        lines.append(f"SELECT_{tool.name} := {select}")
        for what in ("flash", "erase", "reset"):
            for suffix, job in (("", _job(target, tool)), ("_ONE", _one(target, tool))):
                commands = _commands(tool, what, job)
                if commands and (suffix or tool.name != "uf2"):
                    words = " && ".join(map(_shell, commands))
                    lines.append(f"{what.upper()}_{tool.name}{suffix} = {words}")
    return "\n".join(lines) + "\n"


def flash_json(target: Target, build: str) -> str:
    """Return what any program needs to flash the board and to know that it runs this build.

    `$(BUILD)`, `$(SERIAL)` and `$(PORT)` stand in the command lines for what is known on the spot.
    """
    board = target.board
    facts: dict[str, Any] = {
        "schema": SCHEMA,
        "target": target.name,
        "build": build,
        "baud": board.baud if board is not None else BAUD,
        "address": _address(target),
        "tools": {},
    }
    for name in board.flash if board is not None else ():
        tool = flash_tool(name)
        does = {
            what: [_plain(command) for command in commands]
            for what in ("flash", "erase", "reset")
            if (commands := _commands(tool, what, _one(target, tool)))
        }
        chosen = {"program": tool.program, "install": tool.install, "image": tool.image}
        facts["tools"][name] = {**chosen, "select": _selector(tool), **does}
    return json.dumps(facts, indent=2) + "\n"


def _selector(tool: FlashTool) -> str:
    return "SERIAL" if "serial" in tool.can else "PORT"


def _address(target: Target) -> int:
    return next((m.origin for m in target.memories if m.kind == "flash"), 0)


def _job(target: Target, tool: FlashTool) -> Job:
    """Return the job that takes whatever board is there."""
    assert target.board is not None
    options = target.board.flash[tool.name]
    paths = {kind: f"$(BUILD)/image.{kind}" for kind in _KINDS}
    return Job(images=paths, options=options, address=_address(target))


def _one(target: Target, tool: FlashTool) -> Job:
    """Return the job for the board that SERIAL or PORT names."""
    assert target.board is not None
    job = _job(target, tool)
    if _selector(tool) == "PORT":
        return replace(job, port="$(PORT)")
    # probe-rs names a probe by VID:PID:serial.
    usb_id = next(iter(target.board.usb), "")
    return replace(job, serial="$(SERIAL)", usb_id=usb_id)


def _commands(tool: FlashTool, what: str, job: Job) -> tuple[Command, ...]:
    build = {"flash": tool.flash, "erase": tool.erase, "reset": tool.reset}[what]
    return () if build is None else tool.commands(what, job)


def _plain(command: Command) -> Any:
    more = {"script": command.script, "folder": command.folder}
    return {"argv": list(command.argv), **{key: text for key, text in more.items() if text}}


def _shell(command: Command) -> str:
    """Return a command line for a make recipe; its script is written to a file before."""
    script = f"$(BUILD)/{command.argv[0]}.script"
    words = [_word(script if word == "{script}" else word) for word in command.argv]
    line = " ".join(words)
    if command.folder:
        return f"cd {_word(command.folder)} && {line}"
    if not command.script:
        return line
    text = command.script.replace("\\", "\\\\").replace("%", "%%").replace("\n", "\\n")
    return f"printf '{text}' >{_word(script)} && {line}"


def _word(word: str) -> str:
    return f'"{word}"' if re.search(r"\$\(", word) else shlex.quote(word)
