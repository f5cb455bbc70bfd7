"""Builds and runs the fuzzers of the firmware: libFuzzer with the address and UB sanitizers."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from edgec.codegen.project import TEMPLATES

FOLDER = Path(__file__).parent / "fuzz"

# Source, corpus and options of each.
FUZZERS = {
    "link": ("fuzz_link.c", "link", ["-DEDGEC_PROFILE"]),
    "mlperf": ("fuzz_mlperf.c", "mlperf", ["-DEDGEC_MLPERF=1"]),
    "mlperf_floats": ("fuzz_mlperf.c", "mlperf", ["-DEDGEC_MLPERF=1", "-DFUZZ_FLOATS"]),
}

_SANITIZERS = "fuzzer,address,undefined"


def missing() -> str:
    """Return what is missing and how to get it; empty if nothing is."""
    if shutil.which("clang") is None:
        return "no clang: apt-get install clang"
    said = subprocess.run(
        ["clang", "-print-file-name=libclang_rt.fuzzer-x86_64.a"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = Path(said.strip()).is_absolute() or _in_resources()
    return "" if found else "no libFuzzer: apt-get install libclang-rt-14-dev"


def _in_resources() -> bool:
    said = subprocess.run(
        ["clang", "-print-resource-dir"], capture_output=True, text=True, check=True
    ).stdout
    return any(Path(said.strip()).rglob("libclang_rt.fuzzer*.a"))


def build(name: str, folder: Path) -> Path:
    """Compile a fuzzer."""
    source, _, options = FUZZERS[name]
    program = folder / name
    argv = [
        *("clang", "-std=gnu99", "-O1", "-g", "-Wall", "-Wextra", "-Werror"),
        *("-fno-sanitize-recover=all", f"-fsanitize={_SANITIZERS}", *options),
        *(f"-I{FOLDER}", f"-I{TEMPLATES / 'common'}", str(FOLDER / source), "-o", str(program)),
    ]
    subprocess.run(argv, check=True, timeout=300)
    return program


def run(program: Path, corpus: Path, *options: str, timeout_s: float) -> str:
    """Run a fuzzer on a copy of its seeds in `corpus`, which grows; return what it said."""
    _, seeds, _ = FUZZERS[program.name]
    shutil.copytree(FOLDER / "corpus" / seeds, corpus, dirs_exist_ok=True)
    dictionary = FOLDER / f"{seeds}.dict"
    words = [f"-dict={dictionary}"] if dictionary.exists() else []
    done = subprocess.run(
        [str(program), str(corpus), "-max_len=2048", "-timeout=10", *words, *options],
        cwd=corpus.parent,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout_s,
        check=False,
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},
    )
    if done.returncode != 0:
        raise AssertionError(f"{program.name} found something:\n{done.stderr[-6000:]}")
    return done.stderr
