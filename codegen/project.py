"""Renders the bench firmware round a generated model: a folder that plain make builds."""

from __future__ import annotations

import hashlib
import json
import shutil
import tomllib
from pathlib import Path

from edgec.codegen.flash_folder import flash_json, flash_mk
from edgec.codegen.glue import glue_header, glue_source
from edgec.codegen.model_info import ModelInfo
from edgec.pipeline.errors import TargetError
from edgec.targets import frames, zig
from edgec.targets.profile import Memory, Target
from edgec.targets.runners.base import find_runner
from edgec.targets.toolchain import compiler_flags

TEMPLATES = Path(__file__).parent.parent / "firmware_templates"

FRAMES = Path(frames.__file__)
"""The frames of the link, which a firmware folder gets a copy of: it needs nothing else of ours."""

HOT_MARK = "/* edgec: hot */"


def render_project(bundle_src: Path, target: Target, out: Path, model: ModelInfo) -> Path:
    """Write the firmware project of a generated library to `out` and return it.

    `bundle_src` holds <name>.h, <name>.c, <name>_weights.c and the kernels; they are copied to
    out/src. The same input gives the same bytes.
    """
    family = TEMPLATES / target.template
    if not family.is_dir() or target.template == "common":
        raise TargetError(f"{target.name}: there is no firmware template {target.template!r}")
    for folder in (out / "src", out / "firmware", out / "host"):
        if folder.exists():
            # What an earlier rendering left would be compiled too.
            shutil.rmtree(folder)
    _copy(bundle_src, out / "src", (".c", ".h", ".s"))
    for blob in bundle_src.glob("*.bin"):
        _link(blob, out / "src" / blob.name)
    shared, files = _family_facts(family)
    for folder in (TEMPLATES / "common", *shared, family):
        _copy(folder, out / "firmware", (".c", ".h", ".S", ".ld", ".py"))
    shutil.copyfile(TEMPLATES / "common" / "Makefile", out / "Makefile")
    for source, place in files.items():
        (out / place).parent.mkdir(exist_ok=True)
        filled = _fill(source.read_text("utf-8"), target, model)
        (out / place).write_text(filled, encoding="utf-8", newline="\n")
    _copy(TEMPLATES / "host", out / "host", (".py",))
    shutil.copyfile(FRAMES, out / "host" / "frames.py")
    build = _build_id(out, target, model)
    for name, text in {
        "firmware/edgec_glue.h": glue_header(model, target),
        "firmware/edgec_glue.c": glue_source(model, target, build),
        "project.mk": _project_mk(out, target, model),
        "flags.mk": flags_mk(target),
        "flags.cmake": flags_cmake(target),
        "firmware.json": _facts(target, model, build),
        "flash.mk": flash_mk(target),
        "flash.json": flash_json(target, build),
    }.items():
        (out / name).write_text(text, encoding="utf-8", newline="\n")
    if target.memories:
        script = out / "firmware" / "memory.ld"
        script.write_text(_memory_ld(target), encoding="utf-8", newline="\n")
    return out


def flags_mk(target: Target) -> str:
    """Return the target's compile and link flags as make variables."""
    lines = [f"# Flags of target {target.name}: COLD for most files, HOT for marked kernels."]
    lines += [f"{key} := {value}".rstrip() for key, value in _flags(target, " ").items()]
    if target.toolchain.compiler == "zig":
        lines.append(f"EDGEC_CC = {zig.COMMAND}")
    return "\n".join(lines) + "\n"


def flags_cmake(target: Target) -> str:
    """Return the target's compile and link flags as CMake lists."""
    lines = [f"# Flags of target {target.name}: COLD for most files, HOT for marked kernels."]
    lines += [f'set({key} "{value}")' for key, value in _flags(target, ";").items()]
    return "\n".join(lines) + "\n"


def hot_sources(folder: Path) -> list[str]:
    """Names of the C files in `folder` that ask, in their first lines, to be compiled for speed."""
    return [path.name for path in _sources(folder) if _is_hot(path)]


def _is_hot(path: Path) -> bool:
    with path.open(encoding="utf-8") as lines:
        return any(HOT_MARK in line for _, line in zip(range(10), lines, strict=False))


def _sources(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.c"))


def _family_facts(family: Path) -> tuple[list[Path], dict[Path, str]]:
    """Return what a family's family.toml says.

    These are the template folders that it shares with others, and where in a project its files go
    that are neither C nor linker script.
    """
    facts = family / "family.toml"
    if not facts.exists():
        return [], {}
    table = tomllib.loads(facts.read_text("utf-8"))
    shared = [TEMPLATES / name for name in table["uses"]]
    return shared, {family / name: place for name, place in table.get("files", {}).items()}


def _fill(text: str, target: Target, model: ModelInfo) -> str:
    """Return a template's text with each @NAME@ replaced by what it is for this board."""
    assert target.board is not None and target.clock_hz is not None
    values = {
        "MODEL": model.name,
        "CHIP": target.board.mcu.lower().replace("-", ""),
        "CORE_HZ": target.clock_hz,
        "MHZ": target.clock_hz // 10**6,
        "BAUD": target.board.baud,
        "STACK": target.stack_bytes,
    }
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text


def _copy(source: Path, destination: Path, suffixes: tuple[str, ...]) -> None:
    destination.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.iterdir()):
        if path.suffix in suffixes:
            shutil.copyfile(path, destination / path.name)


def _link(source: Path, destination: Path) -> None:
    """Let a large file that nobody edits have two names; copy it where that cannot be."""
    try:
        destination.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, destination)


def _flags(target: Target, separator: str) -> dict[str, str]:
    toolchain = target.toolchain
    own = compiler_flags(target)
    return {
        "EDGEC_PREFIX": toolchain.prefix if toolchain.compiler == "gcc" else "",
        "EDGEC_CFLAGS": separator.join(
            ("-std=c99", "-ffunction-sections", "-fdata-sections", "-fno-common", *own)
        ),
        "EDGEC_COLD": separator.join(toolchain.cold),
        "EDGEC_HOT": separator.join(toolchain.hot),
        "EDGEC_LDFLAGS": separator.join(("-Wl,--gc-sections", *toolchain.ldflags)),
    }


def _project_mk(out: Path, target: Target, model: ModelInfo) -> str:
    command = find_runner(target.runner).command("$(BUILD)/image.elf", target)
    values = {
        "MODEL": model.name,
        "DEFINES": " ".join(f"-D{name}" for name in _defines(target)),
        "HOT_SOURCES": " ".join(f"src/{name}" for name in hot_sources(out / "src")),
        "LINKER_SCRIPT": "firmware/edgec.ld" if target.memories else "",
        "IMAGES": "elf bin hex" if target.memories else "elf",
        **_uf2(target),
        "RUN": " ".join(command),
    }
    return "".join(f"{key} := {value}".rstrip() + "\n" for key, value in values.items())


def _uf2(target: Target) -> dict[str, str]:
    """Return what a UF2 file is made of, for a board whose boot loader takes one."""
    options = target.board.flash.get("uf2", {}) if target.board else {}
    if "family" not in options:
        return {}
    return {
        "IMAGES": "elf bin hex uf2",
        "UF2_ORIGIN": f"{_first(target, 'flash').origin:#x}",
        "UF2_FAMILY": f"{int(options['family']):#x}",
    }


def _defines(target: Target) -> list[str]:
    """Return the macros of a target's firmware; a board's clock and baud rate are among them."""
    if target.board is None:
        return list(target.defines)
    rates = {"EDGEC_CORE_HZ": target.clock_hz, "EDGEC_BAUD": target.board.baud}
    return [*target.defines, *(f"{name}={rate}u" for name, rate in rates.items())]


def _build_id(out: Path, target: Target, model: ModelInfo) -> str:
    """Return a short hash of all that the image is compiled from, and of the flags."""
    digest = hashlib.sha256()
    texts = (glue_header(model, target), glue_source(model, target, ""), flags_mk(target))
    script = _memory_ld(target) if target.memories else ""
    for text in (*texts, script, *_defines(target), *hot_sources(out / "src")):
        digest.update(text.encode() + b"\0")
    for path in sorted([*(out / "src").iterdir(), *(out / "firmware").iterdir()]):
        digest.update(path.name.encode() + b"\0")
        with path.open("rb") as file:  # weights may be larger than memory should be
            while part := file.read(1 << 20):
                digest.update(part)
    return digest.hexdigest()[:16]


def _facts(target: Target, model: ModelInfo, build: str) -> str:
    facts = {
        "model": model.name,
        "model_sha256": model.sha256,
        "build": build,
        "target": target.name,
        "arena_bytes": model.arena_bytes,
        "io_bytes": model.io_bytes,
        "mlperf": None if model.task is None else model.task.model,
    }
    return json.dumps(facts, indent=2) + "\n"


def _memory_ld(target: Target) -> str:
    lines = [f"/* Memories of target {target.name}. */", "MEMORY", "{"]
    for memory in target.memories:
        access = "rx" if memory.kind == "flash" else "rwx"
        lines.append(
            f"    {memory.name} ({access}) : ORIGIN = {memory.origin:#010x}, "
            f"LENGTH = {memory.size_bytes}"
        )
    lines.append("}")
    lines.append(f'REGION_ALIAS("EDGEC_FLASH", {_first(target, "flash").name})')
    lines.append(f'REGION_ALIAS("EDGEC_RAM", {_first(target, "ram").name})')
    lines.append(f"edgec_stack_bytes = {target.stack_bytes};")
    return "\n".join(lines) + "\n"


def _first(target: Target, kind: str) -> Memory:
    return next(memory for memory in target.memories if memory.kind == kind)
