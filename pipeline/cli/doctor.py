"""`edgec doctor`."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from dataclasses import asdict, dataclass

import click

from edgec.pipeline.cli.display import json_option

PACKAGES = (
    ("ai-edge-litert", "verification", "pip install ai-edge-litert"),
    ("numpy", "everything", "pip install numpy"),
    ("pyserial", "serial links", "pip install pyserial"),
    ("tensorflow", "Keras and ONNX models", "pip install 'edgec[tensorflow]'"),
    ("tf-keras", "Keras and ONNX models", "pip install 'edgec[tensorflow]'"),
    (
        "tensorflow-model-optimization",
        "quantisation-aware training",
        "pip install 'edgec[tensorflow]'",
    ),
    ("onnx", "ONNX models", "pip install 'edgec[tensorflow]'"),
    ("h5py", "Keras models", "pip install 'edgec[tensorflow]'"),
    ("pillow", "calibration images", "pip install 'edgec[tensorflow]'"),
    ("apache-tvm", "the backend tvm", "pip install 'edgec[tvm]'"),
    ("apache-tvm-ffi", "the backend tvm", "pip install 'edgec[tvm]'"),
    ("ziglang", "computers without a compiler from apt", "pip install 'edgec[zig]'"),
    ("pyelftools", "builds with ziglang", "pip install 'edgec[zig]'"),
    ("xgboost-cpu", "tuning of the backend tvm", "pip install 'edgec[tvm]'"),
)
TOOLS = (
    ("make", "every build"),
    ("gcc", "the x86 target and host verification"),
    ("arm-none-eabi-gcc", "Cortex-M targets"),
    ("arm-none-eabi-objcopy", "Cortex-M targets"),
    ("qemu-system-arm", "the simulated boards"),
)
OTHER_TOOLS = (
    ("aarch64-linux-gnu-gcc", "the 64-bit Raspberry Pi targets"),
    ("arm-linux-gnueabihf-gcc", "rpi-armv7"),
    ("qemu-aarch64", "verification for 64-bit Raspberry Pis without one"),
    ("qemu-arm", "verification for rpi-armv7 without one"),
    ("ssh", "devices that SSH reaches"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One tool: its version, or how to install it."""

    name: str
    needed_for: str
    version: str | None
    where: str
    fix: str


def findings() -> list[Finding]:
    """Return what is installed of everything edgec uses."""
    from edgec.targets.toolchain import tool_versions

    found = [Finding("python", "everything", platform.python_version(), sys.executable, "")]
    for name, purpose, fix in PACKAGES:
        try:
            version = importlib.metadata.version(name)
            found.append(Finding(name, purpose, version, "package", ""))
        except importlib.metadata.PackageNotFoundError:
            found.append(Finding(name, purpose, None, "package", fix))
    purposes = dict((*TOOLS, *OTHER_TOOLS))
    for tool in tool_versions(list(purposes)):
        found.append(
            Finding(tool.name, purposes[tool.name], tool.version, tool.path or "", tool.hint)
        )
    return found + _flash_tools()


def _flash_tools() -> list[Finding]:
    """Return the tools that flash boards, and for which ones; `cp` is everywhere."""
    from edgec.targets.flash_tool import flash_tool, flash_tools, installed_version, program_path
    from edgec.targets.profile import board_names, load_target

    boards = {name: load_target(name).board for name in board_names()}
    found = []
    for tool in map(flash_tool, flash_tools()):
        if tool.program == "cp":
            continue
        uses = sum(board is not None and tool.name in board.flash for board in boards.values())
        purpose = f"flashing {uses} of {len(boards)} boards"
        path = program_path(tool.program) or ""
        found.append(Finding(tool.program, purpose, installed_version(tool), path, tool.install))
    return found


@click.command()
@json_option
def command(as_json: bool) -> None:
    """Show every tool and package edgec uses, its version, and the line that installs it.

    Exits with 4 if something that the default target needs is missing.
    """
    from edgec.pipeline.cli import display

    found = findings()
    missing = [f for f in found if f.version is None]
    if as_json:
        display.print_json([asdict(f) for f in found])
    else:
        rows = [
            (f.name, f.version or "missing", f.needed_for, f.fix if f.version is None else f.where)
            for f in found
        ]
        display.print_table(("tool", "version", "needed for", "where, or how to install"), rows)
    tools = {name for name, _ in TOOLS} | {"ai-edge-litert", "numpy", "pyserial"}
    if any(f.name in tools for f in missing):
        raise click.exceptions.Exit(4)
