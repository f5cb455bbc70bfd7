"""Write the tables of what kernels take on each core, `codegen/kernels/tables/<cpu>.json`.

Every kernel is compiled for every Cortex-M target and mode and linked alone, so that a new kernel
file needs an entry nowhere. Paces are kept: `tools/measure_paces.py` counts them.

usage: python tools/measure_kernels.py [--target NAME ...] [--kernel PREFIX | --new] [--check]. With
--check nothing is written, and the exit code is 1 if a table differs from what is measured by more
than a twentieth.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from edgec.codegen.emit import kernel_files
from edgec.codegen.kernel_table import MODES
from edgec.codegen.project import hot_sources
from edgec.pipeline.compile import optimized
from edgec.targets.linkmap import read_map, short_name
from edgec.targets.profile import Target, load_target, target_names
from edgec.targets.toolchain import run

ROOT = Path(__file__).resolve().parent.parent
KERNELS = ROOT / "codegen" / "kernels"
TABLES = KERNELS / "tables"
COMPILE = ("-std=c99", "-ffunction-sections", "-fdata-sections", "-fno-common")
TOLERANCE, SLACK_BYTES = 0.05, 24
"""How far a check lets code be from what the table says: compilers of one release differ a bit."""


def kernel_names() -> list[str]:
    """Return every kernel that a Cortex-M can use: C that defines what it is named after."""
    return sorted(
        path.stem
        for path in KERNELS.glob("*.c")
        if "_vector" not in path.stem
        and re.search(rf"^void {path.stem}\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    )


def compile_all(target: Target, folder: Path, kernels: list[str]) -> None:
    """Compile the kernels' C files as a build does, hot ones for the mode, into `folder`."""
    names = [name for name in kernel_files(set(kernels)) if name.endswith(".c")]
    hot = set(hot_sources(KERNELS))
    tools = target.toolchain
    gcc = f"{tools.prefix}gcc"

    def one(path: Path) -> None:
        flags = tools.hot if path.name in hot else tools.cold
        argv = [gcc, *COMPILE, *tools.cflags, *flags, f"-I{KERNELS}", "-c", str(path)]
        run([*argv, "-o", str(folder / f"{path.stem}.o")], timeout_s=120)

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(one, [KERNELS / name for name in names]))


def linked_sections(target: Target, folder: Path, kernel: str) -> dict[str, int]:
    """Return the flash of each section that a kernel links, by its object and name."""
    tools = target.toolchain
    objects = [str(path) for path in sorted(folder.glob("*.o"))]
    image, found = folder / f"{kernel}.elf", folder / f"{kernel}.map"
    run(
        [
            f"{tools.prefix}gcc", *tools.cflags, *tools.ldflags, "-Wl,--gc-sections",
            f"-Wl,--cref,-e,{kernel},-Map={found}", "-o", str(image), *objects, "-lm",
        ],
        timeout_s=120,
    )  # fmt: skip
    sections: dict[str, int] = {}
    for piece in read_map(found, 0, 0).pieces:
        name = f"{short_name(piece.object)}:{piece.section}"
        if piece.flash_bytes:
            sections[name] = sections.get(name, 0) + piece.flash_bytes
    image.unlink()
    return sections


def link_all(target: Target, folder: Path, kernels: list[str]) -> list[tuple[str, dict[str, int]]]:
    """Return every kernel with the sections that it links."""
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        found = list(pool.map(lambda kernel: linked_sections(target, folder, kernel), kernels))
    return list(zip(kernels, found, strict=True))


def params_sizes(target: Target, folder: Path, kernels: Iterable[str]) -> dict[str, int]:
    """Return the size of each kernel's struct of parameters."""
    headers = {k: (KERNELS / f"{k}.h").read_text(encoding="utf-8") for k in kernels}
    named = [k for k, text in headers.items() if f"{k}_params" in text]
    lines = [f'#include "{k}.h"\nchar size_{k}[sizeof({k}_params)];' for k in named]
    source, made = folder / "sizes.c", folder / "sizes.out"
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    tools = target.toolchain
    argv = [f"{tools.prefix}gcc", *COMPILE, *tools.cflags, f"-I{KERNELS}", "-c", str(source)]
    run([*argv, "-o", str(made)], timeout_s=60)
    listed = run([f"{tools.prefix}nm", "-S", str(made)], timeout_s=60).stdout
    return {m[2]: int(m[1], 16) for m in re.finditer(r"^\w+ (\w+) \w size_(\w+)$", listed, re.M)}


def measure(target: Target, kernels: list[str]) -> dict[str, Any]:
    """Return the table of a target's core, without paces."""
    sections: dict[str, list[int]] = {}
    links: dict[str, set[str]] = {kernel: set() for kernel in kernels}
    for number, mode in enumerate(MODES):
        with tempfile.TemporaryDirectory(prefix="edgec-kernels-") as name:
            folder = Path(name)
            tuned = optimized(target, mode)
            compile_all(tuned, folder, kernels)
            for kernel, linked in link_all(tuned, folder, kernels):
                links[kernel] |= set(linked)
                for section, size in linked.items():
                    sizes = sections.setdefault(section, [0] * len(MODES))
                    sizes[number] = max(sizes[number], size)
            params = params_sizes(tuned, folder, kernels)
    return {
        "kernels": {k: sorted(v) for k, v in sorted(links.items())},
        "params": dict(sorted(params.items())),
        "sections": dict(sorted(sections.items())),
    }


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return a table with what was measured anew, and without kernels that are no more."""
    there = kernel_names()
    links = {k: v for k, v in {**old["kernels"], **new["kernels"]}.items() if k in there}
    used = {section for sections in links.values() for section in sections}
    sections = {**old["sections"], **new["sections"]}
    tables = {
        "kernels": links,
        "params": {k: v for k, v in {**old["params"], **new["params"]}.items() if k in there},
        "sections": {k: v for k, v in sections.items() if k in used},
        "paces": {k: v for k, v in old["paces"].items() if k in there},
    }
    return {name: dict(sorted(table.items())) for name, table in tables.items()}


def differences(cpu: str, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return, as sentences, the kernels whose table is out of date."""
    found = []
    for kernel, names in new["kernels"].items():
        if kernel not in old["kernels"]:
            found.append(f"{cpu}: {kernel} is not in the table")
            continue
        for number, mode in enumerate(MODES):
            now = sum(new["sections"][name][number] for name in names)
            was = sum(old["sections"][name][number] for name in old["kernels"][kernel])
            if abs(now - was) > SLACK_BYTES + TOLERANCE * was:
                found.append(f"{cpu}: {kernel} takes {now} bytes for {mode}, the table says {was}")
        if new["params"].get(kernel) != old["params"].get(kernel):
            found.append(f"{cpu}: {kernel} has parameters of another size")
    return found


def text_of(table: dict[str, Any]) -> str:
    """Return a table as JSON with one line an entry."""
    parts = []
    for name, entries in table.items():
        lines = [f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in entries.items()]
        parts.append(f' "{name}": {{\n' + ",\n".join(lines) + "\n }")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main() -> int:
    """Write the tables, or compare them."""
    parser = argparse.ArgumentParser(description="Write the tables of what kernels take.")
    parser.add_argument("--target", action="append", help="only this target (may be repeated)")
    parser.add_argument("--kernel", default="", help="only kernels that start so")
    parser.add_argument("--new", action="store_true", help="only kernels not in the table")
    parser.add_argument("--check", action="store_true", help="write nothing, only compare")
    chosen = parser.parse_args()
    stale: list[str] = []
    for name in chosen.target or [t for t in target_names() if t.startswith("cortex-m")]:
        target = load_target(name)
        path = TABLES / f"{target.cpu}.json"
        blank: dict[str, Any] = {"kernels": {}, "params": {}, "sections": {}, "paces": {}}
        old = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else blank
        kernels = [k for k in kernel_names() if k.startswith(chosen.kernel)]
        if chosen.new:
            kernels = [k for k in kernels if k not in old["kernels"]]
        new = measure(target, kernels)
        if chosen.check:
            stale += differences(target.cpu, old, new)
            continue
        path.parent.mkdir(exist_ok=True)
        path.write_text(text_of(merged(old, new)), encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}: {len(kernels)} kernels measured")
    for line in stale:
        print(line, file=sys.stderr)
    if stale:
        print("hint: make kernel-tables", file=sys.stderr)
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
