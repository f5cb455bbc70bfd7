"""Renders the bench firmware round a generated model: a folder that plain make builds."""

from __future__ import annotations

import hashlib
import json
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path

from edgec.codegen import cwriter, mlperf
from edgec.codegen.flash_folder import flash_json, flash_mk
from edgec.pipeline.errors import TargetError
from edgec.targets import frames
from edgec.targets.profile import Memory, Target
from edgec.targets.runners.base import find_runner

TEMPLATES = Path(__file__).parent.parent / "firmware_templates"

FRAMES = Path(frames.__file__)
"""The frames of the link, which a firmware folder gets a copy of: it needs nothing else of ours."""

HOT_MARK = "/* edgec: hot */"


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """An input or output of the generated function.

    `at` is where in the arena it is kept; None where it has memory of its own. An input of which
    the model asks for its `rows` has memory only in the firmware. `scale` and `zero_point` are
    those of int8 values.
    """

    name: str
    c_type: str
    size: int
    size_bytes: int
    at: int | None = None
    rows: int = 0
    scale: float = 0.0
    zero_point: int = 0

    @property
    def port(self) -> mlperf.Port | None:
        """What MLPerf Tiny must know of it; None where it is not int8."""
        if self.c_type != "int8_t" or not self.scale:
            return None
        return mlperf.Port(self.size, self.scale, self.zero_point)


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What the firmware must know of the generated library.

    `layer_outputs` is how often a profile build calls EDGEC_LAYER in one inference.
    """

    name: str
    sha256: str
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    arena_bytes: int
    layers: int
    layer_outputs: int
    arena_align: int = 16
    has_state: bool = False

    @property
    def io_bytes(self) -> int:
        """Bytes of the model's input and output buffers that are not in the arena."""
        ends = (*self.inputs, *self.outputs)
        return sum(tensor.size_bytes for tensor in ends if tensor.at is None and not tensor.rows)

    @property
    def task(self) -> mlperf.Task | None:
        """The task of MLPerf Tiny that the model's shapes are those of."""
        inputs = [tensor.port for tensor in self.inputs]
        return mlperf.find_task(inputs, [tensor.port for tensor in self.outputs])


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
        "firmware/edgec_glue.h": _glue_header(model, target),
        "firmware/edgec_glue.c": _glue_source(model, target, build),
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
    return {
        "EDGEC_PREFIX": toolchain.prefix,
        "EDGEC_CFLAGS": separator.join(
            ("-std=c99", "-ffunction-sections", "-fdata-sections", "-fno-common", *toolchain.cflags)
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
    texts = (_glue_header(model, target), _glue_source(model, target, ""), flags_mk(target))
    script = _memory_ld(target) if target.memories else ""
    for text in (*texts, script, *_defines(target), *hot_sources(out / "src")):
        digest.update(text.encode() + b"\0")
    for path in sorted([*(out / "src").iterdir(), *(out / "firmware").iterdir()]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
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


def _banner(model: ModelInfo, target: Target) -> str:
    return cwriter.banner([("model sha256", model.sha256), ("target", target.name)])


def _glue_header(model: ModelInfo, target: Target) -> str:
    return f"""{_banner(model, target)}
#ifndef EDGEC_GLUE_H
#define EDGEC_GLUE_H

#define EDGEC_TENSOR_COUNT {len(model.inputs) + len(model.outputs)}u
#define EDGEC_LAYER_RECORDS {max(model.layer_outputs, 2)}u
{mlperf.header(model.task)}
#endif
"""


def _glue_source(model: ModelInfo, target: Target, build: str) -> str:
    upper = model.name.upper()
    inputs = [(f"input_{i}", t) for i, t in enumerate(model.inputs)]
    outputs = [(f"output_{i}", t) for i, t in enumerate(model.outputs)]
    own = inputs + [(name, t) for name, t in outputs if t.at is None]
    buffers = "\n".join(
        f"/* {cwriter.comment_text(t.name)} */\n"
        f"static {t.c_type} {name}[{t.size}] __attribute__((aligned(16)));"
        for name, t in own
    )
    table = "\n".join(
        f"    {{(uint8_t *){name}, sizeof {name}}},"
        if (name, t) in own
        else f"    {{arena + {t.at}, {t.size_bytes}u}},"
        for name, t in (*inputs, *outputs)
    )
    arguments = ",\n        ".join(
        [
            *(
                name if t.at is None else f"({t.c_type} *)(void *)(arena + {t.at})"
                for name, t in (*inputs, *outputs)
                if not t.rows
            ),
            "arena",
        ]
    )
    rows = "".join(_rows_callback(name, t) for name, t in inputs)
    run = f"{model.name}_run_rows(\n        give_rows, NULL, " if rows else (
        f"{model.name}_run(\n        "
    )  # fmt: skip
    loads = "".join(
        f"    memcpy(arena + {t.at}, {name}, sizeof {name});\n"
        for name, t in inputs
        if t.at is not None
    )
    reset = f"    {model.name}_reset(arena);\n" if model.has_state else ""
    return f"""{_banner(model, target)}
#include <string.h>

#include "edgec_model.h"
#include "{model.name}.h"

{buffers}
static uint8_t arena[{max(model.arena_bytes, 1)}] __attribute__((aligned({model.arena_align})));

#if {upper}_ARENA_BYTES != {model.arena_bytes}
#error "this firmware was rendered for another build of {model.name}"
#endif

const edgec_model_info edgec_model = {{
    .name = "{model.name}",
    .sha256 = {{
{_c_bytes(model.sha256)}}},
    .target = "{target.name}",
    .build = "{build}",
    .arena_bytes = {model.arena_bytes}u,
    .layers = {model.layers},
    .inputs = {len(model.inputs)},
    .outputs = {len(model.outputs)},
    .has_state = {int(model.has_state)},
#ifdef EDGEC_PROFILE
    .profile = 1,
#endif
}};

const edgec_buffer edgec_tensors[EDGEC_TENSOR_COUNT] = {{
{table}
}};

void edgec_model_load(void)
{{
{loads}}}

{rows}int edgec_model_run(void)
{{
    return {run}{arguments});
}}

void edgec_model_reset(void)
{{
    memset(arena, 0, sizeof arena);
{reset}}}
{_mlperf_source(model)}"""


def _mlperf_source(model: ModelInfo) -> str:
    inputs = [tensor.port for tensor in model.inputs]
    outputs = [tensor.port for tensor in model.outputs]
    return mlperf.source(model.task, inputs, outputs)


def _rows_callback(name: str, tensor: TensorInfo) -> str:
    """Return the function that gives the model rows of an input; empty where it is given whole."""
    if not tensor.rows:
        return ""
    row = tensor.size // tensor.rows
    return f"""static int give_rows(void *user, int32_t first, int32_t count, {tensor.c_type} *to)
{{
    (void)user;
    memcpy(to, {name} + first * {row}, (size_t)count * {row} * sizeof *to);
    return 0;
}}

"""


def _c_bytes(sha256: str) -> str:
    return cwriter.wrap((f"0x{byte:02x}" for byte in bytes.fromhex(sha256)), " " * 8)
