"""Runs the program of layers on an emulated board, its files read and written by semihosting."""

from __future__ import annotations

import subprocess
from pathlib import Path

from edgec.codegen.emit import kernel_files
from edgec.targets.profile import load_target
from tests.support.layer_program import HERE

_STACK_BYTES = 16 * 1024
_LINKER_SCRIPT = """
MEMORY
{{
    FLASH (rx) : ORIGIN = {flash.origin}, LENGTH = {flash.size_bytes}
    RAM (rwx) : ORIGIN = {ram.origin}, LENGTH = {ram.size_bytes}
}}
ENTRY(vectors)
SECTIONS
{{
    .text : {{ KEEP(*(.vectors)) *(.text .text.* .rodata .rodata.*) . = ALIGN(8); }} > FLASH
    .ARM.exidx : {{ *(.ARM.exidx .ARM.exidx.*) }} > FLASH
    .stack (NOLOAD) : {{ . += {stack}; stack_top = .; }} > RAM
    .bss (NOLOAD) : ALIGN(8) {{ bss_start = .; *(.bss .bss.* COMMON .data .data.*) . = ALIGN(8);
        bss_end = .; }} > RAM
    .heap (NOLOAD) : ALIGN(16) {{ heap_start = .; }} > RAM
    heap_end = ORIGIN(RAM) + LENGTH(RAM);
}}
"""


class Board:
    """A target's emulated board; kernels are compiled as the target's builds are."""

    def __init__(self, name: str) -> None:
        self.target = load_target(name)

    def build(self, kernels: set[str], folder: Path) -> None:
        """Compile everything in one go."""
        target = self.target
        files = kernel_files(kernels)
        for name, text in files.items():
            (folder / name).write_text(text)
        memory = {m.kind: m for m in target.memories}
        script = _LINKER_SCRIPT.format(flash=memory["flash"], ram=memory["ram"], stack=_STACK_BYTES)
        (folder / "layers.ld").write_text(script)
        own = [str(HERE / f"layer_program{name}.c") for name in ("", "_board")]
        tools = target.toolchain
        sources = ["layers.c", *own, *(name for name in files if name.endswith(".c"))]
        command = [
            f"{tools.prefix}gcc", "-std=gnu11", *tools.cflags, *tools.hot, "-Wall", "-Werror",
            f"-I{HERE}", *sources, *tools.ldflags, "-Tlayers.ld", "-o", "layers.elf",
        ]  # fmt: skip
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[:4000]

    def run(self, data: bytes, folder: Path) -> tuple[bytes, str]:
        """Return what the program writes; a fault or a broken canary is a complaint."""
        (folder / "layers.in").write_bytes(data)
        command = [
            "qemu-system-arm", "-M", str(self.target.runner_options["machine"]),
            "-display", "none", "-monitor", "none", "-serial", "none", "-nodefaults",
            "-semihosting-config", "enable=on,target=native", "-kernel", "layers.elf",
        ]  # fmt: skip
        ran = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=300, check=False
        )
        complaint = (
            ran.stderr or "a fault, too little memory, or bytes behind an array were written"
        )
        out = folder / "layers.out"
        return out.read_bytes() if out.exists() else b"", complaint if ran.returncode else ""
