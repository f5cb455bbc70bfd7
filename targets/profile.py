"""What a target is, and the strict loader of its profile.

A profile is one TOML file in `profiles/`, its name the target's. It may extend one other profile:
a table is then merged key by key, everything else (lists and memories too) is replaced. A profile
with a `[board]` table extends that of a core, which may itself extend one: it takes the core and
its compiler from there, and nothing of the machine.
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edgec.pipeline.errors import TargetError
from edgec.targets.board import Board, board_problem, read_board
from edgec.targets.native_cpu import compiled_flags, cpu_features
from edgec.targets.profile_table import Table, plain_options, suggestion

PROFILES = Path(__file__).parent / "profiles"

FEATURES = ("dsp", "fpu", "mve", "thumb1", "thumb2", "neon", "dotprod", "avx2", "avx512", "vnni")
BACKENDS = ("aot", "tflite", "tvm", "onnxruntime")

# What the extended profile says of its own machine; another board has none of it.
_MACHINE_KEYS = ("template", "defines", "memory", "runner", "runner_options", "clock_hz", "stack")


@dataclass(frozen=True, slots=True)
class Memory:
    """A memory of the target, `kind` flash or ram."""

    name: str
    kind: str
    origin: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A GCC and its flags: `cold` compiles for size, `hot` the kernels that need speed.

    `fast` takes the place of `hot` in builds that are optimised for speed alone. A `builder` is a
    vendor's tool that compiles the project in our stead. The `compiler` is `gcc`, or `zig` in its
    place; no profile says so (`targets/zig.py`).
    """

    prefix: str
    package: str = ""
    cflags: tuple[str, ...] = ()
    ldflags: tuple[str, ...] = ()
    cold: tuple[str, ...] = ("-Os",)
    hot: tuple[str, ...] = ("-O2",)
    fast: tuple[str, ...] = ("-O3",)
    builder: str = ""
    compiler: str = "gcc"


@dataclass(frozen=True, slots=True)
class Budget:
    """What an image may take, in bytes; None is as much as there is."""

    flash_bytes: int | None = None
    ram_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What to build for, and by what means to reach it.

    `cores` is None where that is unknown. `machines` is what `uname -m` says of the computers that
    run the target's programs, `needs` the flags that Linux must list for their CPU. A `native`
    target is this machine: its CPU's features are added to those of the profile, and code is
    compiled for that CPU. `board` is None of a target that stands for a core.
    """

    name: str
    description: str
    cpu: str
    features: frozenset[str]
    backends: tuple[str, ...]
    memories: tuple[Memory, ...]
    toolchain: Toolchain
    template: str
    defines: tuple[str, ...]
    runner: str
    link: str
    runner_options: Mapping[str, str | int]
    budget: Budget = field(default_factory=Budget)
    clock_hz: int | None = None
    stack_bytes: int = 16384
    cores: int | None = None
    machines: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    native: bool = False
    board: Board | None = None

    def memory_bytes(self, kind: str) -> int | None:
        """Bytes of all memories of a kind, or None for a target that has no fixed memory map."""
        sizes = [m.size_bytes for m in self.memories if m.kind == kind]
        return sum(sizes) if sizes else None


def target_names() -> list[str]:
    """Names of the profiles that are shipped, sorted."""
    return sorted(path.stem for path in PROFILES.glob("*.toml"))


def board_names() -> list[str]:
    """Names of the shipped profiles that describe a board, sorted."""
    return [name for name in target_names() if load_target(name).board is not None]


def load_target(name_or_path: str | Path) -> Target:
    """Load a shipped profile by name, or a profile file by its path (ending in .toml)."""
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = PROFILES / f"{name_or_path}.toml"
        if str(name_or_path) not in target_names():
            raise TargetError(
                f"unknown target {str(name_or_path)!r}",
                suggestion(str(name_or_path), target_names())
                or f"known targets: {', '.join(target_names())}",
            )
    table = _read(path)
    base = table.pop("extends", None)
    if base is not None:
        if base not in target_names():
            raise TargetError(
                f"{path.name}: extends unknown target {base!r}",
                suggestion(str(base), target_names()),
            )
        under = _base_table(path, str(base), core="board" in table)
        table = _merge(under, table)
    return _target(path, table)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TargetError(f"cannot read target profile {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TargetError(f"{path}: not a TOML file: {error}") from error


def _base_table(path: Path, base: str, *, core: bool) -> dict[str, Any]:
    """Return the table of an extended profile: all of it, or only what it says of its `core`."""
    table = _read(PROFILES / f"{base}.toml")
    if core and "board" not in table:
        if "extends" in table:
            table = _merge(_base_table(path, str(table.pop("extends")), core=False), table)
        return {key: value for key, value in table.items() if key not in _MACHINE_KEYS}
    if "extends" in table:
        raise TargetError(f"{path.name}: extends {base!r}, which extends another profile itself")
    return table


def _merge(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        old = merged.get(key)
        both_tables = isinstance(old, dict) and isinstance(value, dict)
        merged[key] = {**old, **value} if both_tables and old is not None else value
    return merged


def _memory(where: str, values: Any) -> Memory:
    table = Table(where, values)
    memory = Memory(
        name=table.take("name", str),
        kind=table.take("kind", str),
        origin=table.take("origin", int),
        size_bytes=table.size("size") or 0,
    )
    table.done()
    return memory


def _toolchain(where: str, values: Any) -> Toolchain:
    table = Table(where, values)
    toolchain = Toolchain(
        prefix=table.take("prefix", str),
        package=table.take("package", str, ""),
        cflags=table.strings("cflags", []),
        ldflags=table.strings("ldflags", []),
        cold=table.strings("cold"),
        hot=table.strings("hot"),
        fast=table.strings("fast", ["-O3"]),
        builder=table.take("builder", str, ""),
    )
    table.done()
    return toolchain


def _budget(where: str, values: Any) -> Budget:
    table = Table(where, values)
    budget = Budget(flash_bytes=table.size("flash", None), ram_bytes=table.size("ram", None))
    table.done()
    return budget


def _target(path: Path, values: dict[str, Any]) -> Target:
    table = Table(path.name, values)
    memories = table.take("memory", list, [])
    target = Target(
        name=path.stem,
        description=table.take("description", str),
        cpu=table.take("cpu", str),
        features=frozenset(table.strings("features", [])),
        backends=table.strings("backends"),
        memories=tuple(_memory(f"{path.name}: memory {i}", m) for i, m in enumerate(memories)),
        toolchain=_toolchain(f"{path.name}: toolchain", table.take("toolchain", dict)),
        template=table.take("template", str),
        defines=table.strings("defines", []),
        runner=table.take("runner", str),
        link=table.take("link", str),
        runner_options=plain_options(
            f"{path.name}: runner_options", table.take("runner_options", dict, {})
        ),
        budget=_budget(f"{path.name}: budget", table.take("budget", dict, {})),
        clock_hz=table.take("clock_hz", int, None),
        stack_bytes=table.size("stack", "16K") or 0,
        cores=table.take("cores", int, None),
        machines=table.strings("machines", []),
        needs=table.strings("needs", []),
        native=table.take("native", bool, False),
        board=read_board(
            path.name, table.take("board", dict, None), table.take("flash", dict, None)
        ),
    )
    table.done()
    for check in CHECKS:
        problem = check(target)
        if problem:
            raise TargetError(f"{path.name}: {problem}")
    return _of_this_machine(target) if target.native else target


def _of_this_machine(target: Target) -> Target:
    tools = target.toolchain
    return replace(
        target,
        features=target.features | cpu_features(),
        needs=compiled_flags(),
        toolchain=replace(tools, cflags=(*tools.cflags, "-march=native")),
    )


def _features_are_known(target: Target) -> str:
    unknown = sorted(target.features - set(FEATURES))
    return f"unknown feature {unknown[0]!r}, known: {', '.join(FEATURES)}" if unknown else ""


def _backends_are_known(target: Target) -> str:
    unknown = [b for b in target.backends if b not in BACKENDS]
    return f"unknown backend {unknown[0]!r}, known: {', '.join(BACKENDS)}" if unknown else ""


def _memory_kinds_are_known(target: Target) -> str:
    wrong = [m.name for m in target.memories if m.kind not in ("flash", "ram")]
    return f"memory {wrong[0]!r} is neither flash nor ram" if wrong else ""


def _memories_are_apart(target: Target) -> str:
    ordered = sorted(target.memories, key=lambda m: m.origin)
    for first, second in itertools.pairwise(ordered):
        if first.origin + first.size_bytes > second.origin:
            return f"memories {first.name!r} and {second.name!r} overlap"
    return ""


def _memories_have_both_kinds(target: Target) -> str:
    kinds = {m.kind for m in target.memories}
    return "" if kinds in (set(), {"flash", "ram"}) else "flash and ram wanted, or no memory at all"


def _stack_fits(target: Target) -> str:
    ram = target.memory_bytes("ram")
    return "the stack takes all the ram" if ram is not None and target.stack_bytes >= ram else ""


def _budget_fits(target: Target) -> str:
    for kind, budget in (("flash", target.budget.flash_bytes), ("ram", target.budget.ram_bytes)):
        there = target.memory_bytes(kind)
        if budget is not None and there is not None and budget > there:
            return f"the {kind} budget is {budget} bytes, there are {there}"
    return ""


def _board_is_whole(target: Target) -> str:
    if target.board is None:
        return ""
    if target.board.flash == {}:
        return "a board wants a [flash.…] table for each tool that flashes it"
    return board_problem(target.board) or ("" if target.clock_hz else "a board has a clock_hz")


CHECKS: tuple[Callable[[Target], str], ...] = (
    _features_are_known,
    _backends_are_known,
    _memory_kinds_are_known,
    _memories_are_apart,
    _memories_have_both_kinds,
    _stack_fits,
    _budget_fits,
    _board_is_whole,
)
