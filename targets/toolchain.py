"""Finds and runs the tools that turn a rendered project into an image."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgec.pipeline.errors import BudgetError, BuildError, EdgecError, ToolMissingError
from edgec.targets import zig
from edgec.targets.linkmap import ImageSize, budget_table, read_map
from edgec.targets.lldmap import read_lld_map
from edgec.targets.profile import Target, Toolchain
from edgec.targets.script import Script

BUILD_TIMEOUT_S = 600.0

# What apt calls the package of a tool, where the names differ.
_PACKAGES = {
    "arm-none-eabi-gcc": "gcc-arm-none-eabi libnewlib-arm-none-eabi",
    "arm-none-eabi-objcopy": "binutils-arm-none-eabi",
    "arm-none-eabi-size": "binutils-arm-none-eabi",
    "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
    "arm-linux-gnueabihf-gcc": "gcc-arm-linux-gnueabihf libc6-dev-armhf-cross",
    "qemu-aarch64": "qemu-user",
    "qemu-system-aarch64": "qemu-system-arm",
    "mke2fs": "e2fsprogs",
    "qemu-arm": "qemu-user",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
}


@dataclass(frozen=True, slots=True)
class Output:
    """What a command that succeeded printed."""

    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Image:
    """A linked firmware; `bin` and `hex` are None where the target starts the ELF itself.

    `binary_bytes` is the size of a stripped program's file, None of anything else. A model that is
    interpreted on the device has a `script` in place of all that, and no map or size.
    """

    elf: Path
    bin: Path | None
    hex: Path | None
    map: Path | None
    target: str
    model: str
    model_sha256: str
    build: str
    profile: bool
    size: ImageSize | None
    binary_bytes: int | None = None
    script: Script | None = None


@dataclass(frozen=True, slots=True)
class ToolVersion:
    """A tool that edgec may need; path and version are None where it is missing."""

    name: str
    path: str | None
    version: str | None
    hint: str


def find_tool(name: str) -> str:
    """Return the path of a program, or raise ToolMissingError with the line that installs it."""
    path = shutil.which(name)
    if path is None:
        raise ToolMissingError(f"{name} is not installed", install_hint(name))
    return path


def install_hint(name: str) -> str:
    """Return the apt line that installs a program."""
    return f"sudo apt install {_PACKAGES.get(name, name)}"


def run(
    argv: Sequence[str],
    *,
    timeout_s: float,
    cwd: Path | None = None,
    failure: type[EdgecError] = BuildError,
    variables: Mapping[str, str] | None = None,
) -> Output:
    """Run a command without a shell and capture what it prints.

    `variables` are set in its environment. Raises ToolMissingError if it is not there, `failure`
    with the end of its output if it fails or takes longer than `timeout_s`.
    """
    name = Path(argv[0]).name
    environment = {**os.environ, "LC_ALL": "C", **(variables or {})}
    try:
        done = subprocess.run(
            [find_tool(argv[0]), *argv[1:]],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise failure(f"{name} did not end within {timeout_s:g} s") from error
    stdout = done.stdout.decode(errors="replace")
    stderr = done.stderr.decode(errors="replace")
    if done.returncode != 0:
        lines = (stdout + stderr).strip().splitlines()[-40:]
        raise failure(f"{name} failed with exit code {done.returncode}:\n" + "\n".join(lines))
    return Output(stdout, stderr)


def build_image(
    project: Path,
    target: Target,
    *,
    profile: bool = False,
    mlperf: bool = False,
    jobs: int | None = None,
) -> Image:
    """Compile and link a rendered project with its own Makefile.

    A profile build lies beside the clean one and times and hashes each layer; a build for MLPerf
    speaks that protocol. Raises BuildError with the compiler's words.
    """
    if target.toolchain.builder:
        raise ToolMissingError(
            f"{target.name}: its firmware is compiled by {target.toolchain.builder}, not by edgec",
            f"{target.toolchain.builder} build, in the bundle's firmware folder",
        )
    _check_compiler(target)
    folder = "build-profile" if profile else "build-mlperf" if mlperf else "build"
    parallel = jobs or len(os.sched_getaffinity(0))
    options = [f"BUILD={folder}", f"PROFILE={int(profile)}", f"MLPERF={int(mlperf)}"]
    facts = json.loads((project / "firmware.json").read_text(encoding="utf-8"))
    build = project / folder
    argv = ["make", "-s", f"-j{parallel}", *options, f"PYTHON={sys.executable}", "all"]
    variables = zig.environment() if target.toolchain.compiler == "zig" else None
    try:
        run(argv, cwd=project, timeout_s=BUILD_TIMEOUT_S, variables=variables)
    except BuildError as error:
        _raise_if_too_big(error, target, build / "image.map", facts)
        raise
    return Image(
        elf=build / "image.elf",
        bin=_if_there(build / "image.bin"),
        hex=_if_there(build / "image.hex"),
        map=build / "image.map",
        target=target.name,
        model=facts["model"],
        model_sha256=facts["model_sha256"],
        build=facts["build"],
        profile=profile,
        size=_size(target, build / "image.map", facts),
        binary_bytes=(
            (build / "image.elf").stat().st_size if "-s" in target.toolchain.ldflags else None
        ),
    )


def equipped(target: Target, choice: zig.Choice) -> Target:
    """Return the target with the compiler that was chosen.

    `auto` is GCC, or Zig where that GCC is not installed and Zig is. Raises what `with_zig` does.
    """
    if choice == "auto" and not target.toolchain.builder:
        lacking = shutil.which(f"{target.toolchain.prefix}gcc") is None
        choice = "zig" if lacking and zig.builds_for(target) and not zig.missing() else "gcc"
    return zig.with_zig(target) if choice == "zig" else target


def compiler_of(target: Target) -> zig.Choice:
    """Return the choice that `equipped` the target as it is."""
    return "zig" if target.toolchain.compiler == "zig" else "gcc"


def compiler_flags(target: Target) -> tuple[str, ...]:
    """Return what the target's compiler is told of its CPU for every file."""
    tools = target.toolchain
    return zig.compile_flags(target) if tools.compiler == "zig" else tools.cflags


@functools.cache
def compiler_version(tools: Toolchain) -> str:
    """Return name and version of a target's compiler, as "arm-none-eabi-gcc 12.2.1"."""
    if tools.compiler == "zig":
        return f"zig {zig.version()}"
    name = f"{tools.prefix}gcc"
    return f"{name} {run([name, '-dumpfullversion'], timeout_s=20).stdout.strip()}"


def tool_versions(names: Sequence[str]) -> list[ToolVersion]:
    """Return path and version of each program, for a report on what is installed."""
    return [_tool_version(name) for name in names]


def _tool_version(name: str) -> ToolVersion:
    path = shutil.which(name)
    if path is None:
        return ToolVersion(name, None, None, install_hint(name))
    output = run([path, "-V" if name == "ssh" else "--version"], timeout_s=20)
    first = (output.stdout or output.stderr).strip().splitlines()[0]
    version = re.search(r"\d+\.\d+(\.\d+)?", first)
    return ToolVersion(name, path, version.group() if version else first, "")


def _raise_if_too_big(error: BuildError, target: Target, map_file: Path, facts: Any) -> None:
    """Turn the linker's complaint that a memory is full into a table of what fills it."""
    over = re.findall(r"region `(\w+)' overflowed by (\d+) bytes", error.message)
    if not over:
        return
    kinds = {memory.name: memory.kind for memory in target.memories}
    lines = [f"{kinds.get(name, name)} is too small by {size} bytes" for name, size in over]
    if map_file.exists():
        size = read_map(map_file, facts["arena_bytes"], facts["io_bytes"])
        lines += [budget_table(size, kinds[name]) for name, _ in over if name in kinds]
    raise BudgetError(
        f"the image does not fit {target.name}: " + "\n".join(lines),
        "choose a larger target, or make the model smaller",
    ) from error


def _check_compiler(target: Target) -> None:
    """Find the compiler, and the C library that Debian packs apart from it."""
    tools = target.toolchain
    if tools.compiler == "zig":
        zig.with_zig(target)
        return
    try:
        gcc = find_tool(f"{tools.prefix}gcc")
    except ToolMissingError as error:
        if not zig.builds_for(target):
            raise
        raise ToolMissingError(error.message, f"{error.hint}, or {zig.INSTALL}") from error
    for flag in tools.ldflags:
        name = "libc.a" if flag == "-static" else flag.removeprefix("--specs=")
        if name == flag:
            continue
        found = run([gcc, f"-print-file-name={name}"], timeout_s=20).stdout.strip()
        if not Path(found).is_absolute():
            raise ToolMissingError(
                f"{tools.prefix}gcc has no {name}: its C library is not installed",
                f"sudo apt install {tools.package}",
            )


def _size(target: Target, map_file: Path, facts: Any) -> ImageSize:
    arena_bytes, io_bytes = facts["arena_bytes"], facts["io_bytes"]
    if target.toolchain.compiler == "zig":
        return read_lld_map(map_file, arena_bytes, io_bytes)
    return read_map(map_file, arena_bytes, io_bytes, hosted=not target.memories)


def _if_there(path: Path) -> Path | None:
    return path if path.exists() else None
