"""What a flash tool is: its command lines, what it can do, and how it says what went wrong."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from edgec.pipeline.errors import TargetError, UsageError
from edgec.targets.profile_table import suggestion

CAPABILITIES = {
    "erase": "erase the whole chip",
    "reset": "reset the board",
    "serial": "choose a probe by its serial number",
    "location": "choose a probe by its USB location",
    "port": "choose a board by its serial port",
    "unlock": "open a locked chip",
    "gentle": "connect under reset or slowly",
    "verify": "read back what it wrote",
}
"""What a tool may be able to do besides flashing; asking for more is refused."""

VERSION_TIMEOUT_S = 20.0

Options = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Job:
    """All that a command line is made of.

    `images` are paths by kind: elf, bin, hex, uf2. `address` is where flash begins. `serial` is the
    probe's whole serial number, `usb_id` its VID:PID, `location` the USB port it is plugged into,
    as 1-4.2. `gentle` asks to connect under reset and slowly. What is empty was not chosen.
    """

    images: Mapping[str, str]
    options: Options = field(default_factory=dict)
    address: int = 0
    serial: str = ""
    usb_id: str = ""
    location: str = ""
    port: str = ""
    erase: bool = False
    unlock: bool = False
    gentle: bool = False

    def text(self, option: str, default: str = "") -> str:
        """Return an option of the tool's table as text."""
        return str(self.options.get(option, default))

    def start(self) -> str:
        """Return where the image goes: the option `address`, or where flash begins."""
        return self.text("address", f"{self.address:#010x}")


@dataclass(frozen=True, slots=True)
class Command:
    """One command line; `script` is the text of a file that `{script}` in it stands for.

    `folder` is where it runs, if that matters to it.
    """

    argv: tuple[str, ...]
    script: str = ""
    folder: str = ""

    def __str__(self) -> str:
        return shlex.join(self.argv)


Build = Callable[[Job], tuple[Command, ...]]


@dataclass(frozen=True, slots=True)
class Symptom:
    """Words of the tool, as a regular expression, and the failure they mean."""

    pattern: str
    failure: str


@dataclass(frozen=True, slots=True)
class FlashTool:
    """One tool. `image` is the kind of file it takes.

    `options` are the keys of its table in a profile, True for those that must be there. `symptoms`
    are looked for in order in what a run printed that failed. `proof` is what a run prints that
    succeeded, for tools that end with 0 whatever happens; `forgives` is what a flashing prints
    that succeeded though the tool calls it an error. What fails is tried again if it `repeats`.
    `install` says how to get the tool, `vendors` which USB vendors' probes it drives. `asks` are
    the words that make it tell its version, `prepare` finds what a job needs on the spot. A
    `bootloader` tool talks to the chip's own boot loader on USB, others to a probe or a port.
    """

    name: str
    program: str
    image: str
    can: frozenset[str]
    flash: Build
    symptoms: tuple[Symptom, ...]
    install: str
    vendors: tuple[str, ...] = ()
    reset: Build | None = None
    erase: Build | None = None
    options: Mapping[str, bool] = field(default_factory=dict)
    proof: str = ""
    forgives: str = ""
    repeats: bool = True
    bootloader: bool = False
    asks: tuple[str, ...] = ("--version",)
    prepare: Callable[[Job], Job] | None = None

    def commands(self, what: str, job: Job) -> tuple[Command, ...]:
        """Return the command lines of `flash`, `erase` or `reset`; refuse what it cannot do."""
        self.check(job)
        build = {"flash": self.flash, "erase": self.erase, "reset": self.reset}[what]
        if build is None:
            raise UsageError(f"{self.name} cannot {CAPABILITIES[what]}", "use another --runner")
        # The whole chip is erased by the command `erase` itself.
        return build(replace(job, erase=job.erase and what == "flash"))

    def check(self, job: Job) -> None:
        """Refuse a job that asks for what the tool cannot do, or options it does not know."""
        for key in job.options:
            if key not in self.options:
                raise TargetError(
                    f"flash.{self.name}: unknown key {key!r}",
                    suggestion(key, self.options) or f"known keys: {', '.join(self.options)}",
                )
        for key, wanted in self.options.items():
            if wanted and key not in job.options:
                raise TargetError(f"flash.{self.name}: key {key!r} is missing")
        asked = ("erase", "unlock", "gentle", "serial", "location")
        for what in asked:
            if getattr(job, what) and what not in self.abilities(job.options):
                raise UsageError(f"{self.name} cannot {CAPABILITIES[what]}", "use another --runner")

    def abilities(self, options: Options) -> frozenset[str]:
        """Return what it can do with a board's options: OpenOCD needs to be told how to unlock."""
        told = "unlock" not in self.options or "unlock" in options
        return self.can if told else self.can - {"unlock"}

    def failure(self, output: str) -> str:
        """Return the name of the failure that a tool's output tells of."""
        for symptom in self.symptoms:
            if re.search(symptom.pattern, output, re.IGNORECASE | re.MULTILINE):
                return symptom.failure
        return "failed"

    def forgiven(self, output: str) -> bool:
        """Return whether a flashing that did not end with 0 says that it succeeded."""
        return bool(self.forgives) and re.search(self.forgives, output) is not None

    def proves(self, output: str) -> bool:
        """Return whether the output of a flashing that ended with 0 says that it succeeded."""
        return not self.proof or re.search(self.proof, output) is not None


def program_path(name: str) -> str | None:
    """Return the path of a tool's program: on the PATH, beside our Python, or where it installs."""
    cube = Path.home() / "STMicroelectronics/STM32Cube/STM32CubeProgrammer/bin"
    places = (Path(sys.executable).parent, cube)
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(map(str, places)))


def installed_version(tool: FlashTool) -> str | None:
    """Return the version of an installed tool, None if it is not there."""
    path = program_path(tool.program)
    if path is None:
        return None
    try:
        done = subprocess.run(
            [path, *tool.asks],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=VERSION_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "does not start"
    said = (done.stdout + done.stderr).decode(errors="replace")
    found = re.search(r"\d+\.\d+(\.\d+)?", said)
    return found.group() if found else "unknown"


def flash_tool(name: str) -> FlashTool:
    """Return the tool that the module `runners/<name>.py` describes."""
    tool = _tool_of(name)
    if not isinstance(tool, FlashTool):
        raise TargetError(f"unknown flash tool {name!r}", f"known: {', '.join(flash_tools())}")
    return tool


def flash_tools() -> list[str]:
    """Return the names of all flash tools, sorted."""
    folder = Path(__file__).parent / "runners"
    names = sorted(path.stem for path in folder.glob("*.py") if path.stem.isidentifier())
    return [name for name in names if isinstance(_tool_of(name), FlashTool)]


def _tool_of(name: str) -> object:
    module = f"edgec.targets.runners.{name}"
    known = name.isidentifier() and importlib.util.find_spec(module) is not None
    return getattr(importlib.import_module(module), "TOOL", None) if known else None


def symptoms(*pairs: tuple[str, str]) -> tuple[Symptom, ...]:
    """Return symptoms from pairs of pattern and failure."""
    return tuple(Symptom(pattern, failure) for pattern, failure in pairs)
