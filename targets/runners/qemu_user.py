"""Runs a Linux program of another CPU under QEMU's user mode: right answers, meaningless times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgec.pipeline.errors import TargetError
from edgec.targets.links.base import Endpoint
from edgec.targets.profile import Target
from edgec.targets.runners.base import leash
from edgec.targets.runners.native import running
from edgec.targets.toolchain import find_tool


def command(image: str, target: Target) -> list[str]:
    """Return the command line of the emulator."""
    return [*_emulator(target), f"./{image}"]


@contextmanager
def start(image: Path, target: Target) -> Iterator[Endpoint]:
    """Start the program; it is killed on leaving, whatever the reason."""
    program, *options = _emulator(target)
    with running([*leash(), find_tool(program), *options, str(image.resolve())]) as process:
        yield Endpoint(process=process, emulator=program)


def _emulator(target: Target) -> list[str]:
    options = dict(target.runner_options)
    program, cpu = options.pop("program", None), options.pop("cpu", None)
    if not isinstance(program, str) or not isinstance(cpu, str) or options:
        raise TargetError(
            f'{target.name}: runner qemu_user takes program = "…" and cpu = "…"; got '
            f"{sorted(target.runner_options)}"
        )
    return [program, "-cpu", cpu]
