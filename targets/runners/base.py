"""What a runner is: it puts an image on a device and starts it. One module here each."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, cast

from edgec.pipeline.errors import DeviceError, TargetError
from edgec.targets.links.base import Endpoint
from edgec.targets.profile import Target
from edgec.targets.script import Script


class Runner(Protocol):
    """The functions a runner module defines."""

    def start(self, image: Path, target: Target) -> AbstractContextManager[Endpoint]:
        """Start the image; leaving the context stops the device."""

    def command(self, image: str, target: Target) -> list[str]:
        """Return what a person would type to start the image."""


def find_runner(name: str) -> Runner:
    """Return the runner that the module `runners/<name>.py` implements."""
    module = f"edgec.targets.runners.{name}"
    if not name.isidentifier() or name == "base" or importlib.util.find_spec(module) is None:
        raise TargetError(f"unknown runner {name!r}: there is no such module in targets/runners")
    found = importlib.import_module(module)
    if not hasattr(found, "start"):
        raise TargetError(f"{name} is a flash tool, no runner", 'write runner = "board"')
    return cast(Runner, found)


class ScriptRunner(Protocol):
    """What a runner of computers that may have Python defines too."""

    def start_script(self, script: Script, target: Target) -> AbstractContextManager[Endpoint]:
        """Start a program in Python; leaving the context stops it."""


def runs_scripts(target: Target) -> bool:
    """Return whether the target's runner reaches a Python of the target."""
    return hasattr(find_runner(target.runner), "start_script")


def find_script_runner(target: Target) -> ScriptRunner:
    """Return the target's runner; raise DeviceError if no Python of the target is reached by it."""
    if not runs_scripts(target):
        raise DeviceError(
            f"{target.name}: there is no Python for this CPU here, and the model is interpreted",
            "run it on a device: edgec bench --ssh DEVICE",
        )
    return cast(ScriptRunner, find_runner(target.runner))


def leash() -> list[str]:
    """Return the words before a command that end it with us, even if we are killed."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []
