"""The compiler in the wheel `ziglang`, for those who have pip alone: clang, musl and a linker.

It compiles for every computer that has a profile, on whatever machine pip runs; boards have their
own compilers. Its C library is built when it is first needed, and kept in edgec's cache.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from dataclasses import replace
from typing import Literal

from edgec.pipeline.errors import ToolMissingError, UsageError
from edgec.targets.cache import cache_folder
from edgec.targets.llvm import llvm_target
from edgec.targets.profile import Target

Choice = Literal["auto", "gcc", "zig"]

INSTALL = "pip install 'edgec[zig]'"
COMMAND = "$(PYTHON) -m ziglang cc"
"""How make calls it; PYTHON is an interpreter that has the wheel."""

_FLAGS = (
    # Zig checks for undefined behaviour where it is not told otherwise.
    "-fno-sanitize=undefined",
    # As GCC does when it is asked for C99: a product is rounded before it is added to.
    "-ffp-contract=off",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
)


def builds_for(target: Target) -> bool:
    """Return whether Zig has a C library for the target: whether it is a computer."""
    return target.template == "posix" and llvm_target(target) is not None


def missing() -> str:
    """Return the package that is not installed of those that builds with Zig need, if any."""
    needed = {"ziglang": "ziglang", "elftools": "pyelftools"}
    return next((n for m, n in needed.items() if importlib.util.find_spec(m) is None), "")


def with_zig(target: Target) -> Target:
    """Return the target as one that Zig compiles for.

    Raises UsageError if it does not, ToolMissingError if it is not installed.
    """
    if not builds_for(target):
        raise UsageError(
            f"{target.name}: zig compiles for computers, not for it", "choose --toolchain gcc"
        )
    if missing():
        raise ToolMissingError(f"{missing()} is not installed, which builds with zig need", INSTALL)
    return replace(target, toolchain=replace(target.toolchain, compiler="zig"))


def version() -> str:
    """Return the version of the wheel, which is that of Zig."""
    return importlib.metadata.version("ziglang")


def compile_flags(target: Target) -> tuple[str, ...]:
    """Return the flags that say to Zig what the profile says to GCC: system, CPU, semantics."""
    llvm = llvm_target(target)
    assert llvm is not None
    machine, _, system = llvm.triple.partition("-")
    machine = "arm" if machine.startswith("armv7") else machine
    cpu = llvm.cpu.replace("-", "_") + "".join(llvm.attributes)
    return ("-target", f"{machine}-{system.replace('gnu', 'musl')}", f"-mcpu={cpu}", *_FLAGS)


def environment() -> dict[str, str]:
    """Return the variables that keep what Zig builds for itself in edgec's cache."""
    return {"ZIG_GLOBAL_CACHE_DIR": str(cache_folder("zig"))}
