"""Packs of firmware for an emulated lab: as it should be, slow, silent, and with a wrong byte."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from edgec.pipeline.backends.aot import AotBuilt
from edgec.pipeline.compile import compile_model, write_sources
from edgec.pipeline.graph import Rounding
from edgec.pipeline.hil.manifest import digest
from edgec.pipeline.hil.pack import pack_job, write_manifest
from edgec.pipeline.options import BuildOptions
from edgec.pipeline.trial import Trial, random_samples
from edgec.targets.profile import load_target
from tests.support.models import small_cnn

# wfi, and a branch back to it: a firmware that is up and says nothing.
_SILENCE = bytes.fromhex("30bffde7")


def built_small(folder: Path, slower: str = "none", turns: int = 0) -> Trial:
    """Generate the model's firmware for cortex-m4, to be tried with one sample.

    The kernel file `slower` takes two instructions a turn more.
    """
    folder.mkdir(parents=True)
    model = folder / "small.tflite"
    model.write_bytes(small_cnn())
    target = load_target("cortex-m4")
    compiled = compile_model(model, "small", Rounding.TFLITE, target)
    write_sources(compiled, target, folder)
    for path in folder.rglob(f"{slower}.c"):
        text = path.read_text()
        body = text.index("{", text.index(f"{slower}("))
        loop = (
            f"{{ unsigned turns = {turns}u; __asm__ volatile("
            '"1:\\tsubs %0, %0, #1\\n\\tbne 1b" : "+l"(turns) : : "cc"); '
        )
        path.write_text(f"{text[:body]}{loop}{text[body:]}}}\n")
    built = AotBuilt(compiled, folder / "firmware", target, BuildOptions())
    return Trial(built, random_samples(built.ports, 1), lambda _: None)


def silenced(image: Path) -> None:
    """Let an image fall asleep in main()."""
    _patch(image, "main", lambda _: _SILENCE)


def bent(image: Path) -> None:
    """Flip the top bit of one weight of an image."""
    _patch(image, "small_1_weights", lambda found: bytes([found[0] ^ 0x80, *found[1:4]]))


def _patch(image: Path, symbol: str, change: Callable[[bytes], bytes]) -> None:
    """Change the first bytes of what a symbol names in an ELF file."""
    listed = subprocess.run(
        ["arm-none-eabi-nm", str(image)], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split() for line in listed.splitlines()]
    address = next(int(a, 16) & ~1 for a, _, name in rows if name.startswith(symbol))
    headers = subprocess.run(
        ["arm-none-eabi-readelf", "-lW", str(image)], capture_output=True, text=True, check=True
    ).stdout
    for line in headers.splitlines():
        words = line.split()
        if words[:1] == ["LOAD"]:
            offset, start, _, size = (int(word, 16) for word in words[1:5])
            if start <= address < start + size:
                data = bytearray(image.read_bytes())
                at = offset + address - start
                new = change(bytes(data[at : at + 4]))
                data[at : at + len(new)] = new
                image.write_bytes(data)
                return
    raise AssertionError(f"{symbol} is not loaded")


class PackWriter:
    """Writes packs whose jobs are copies of jobs that were packed once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kinds: dict[str, tuple[Path, dict[str, Any]]] = {}

    def add(self, kind: str, trial: Trial, change: Callable[[Path], None] | None = None) -> None:
        """Pack a firmware as a kind of job, its images changed after its answers were recorded."""
        folder = self.folder / "kinds" / kind
        facts = pack_job(trial, folder)
        if change is not None:
            change(folder / "image.elf")
            facts["files"]["image.elf"] = digest(folder / "image.elf")
        self.kinds[kind] = (folder, facts)

    def write(self, name: str, jobs: Sequence[tuple[str, str]]) -> Path:
        """Write a pack of jobs, each a kind and the board it is for ("" is any)."""
        out = self.folder / name
        entries = []
        for number, (kind, board) in enumerate(jobs):
            folder, facts = self.kinds[kind]
            shutil.copytree(folder, out / f"{kind}-{number}")
            entries.append({**facts, "name": f"{kind}-{number}", "board": board})
        return write_manifest(out, entries)

    def rewrite(self, manifest: Path, change: Callable[[dict[str, Any]], None]) -> None:
        """Change a manifest's data."""
        data = json.loads(manifest.read_text())
        change(data)
        manifest.write_text(json.dumps(data))

    def rehash(self, manifest: Path) -> None:
        """Let a manifest have the hashes of the files as they are."""

        def change(data: dict[str, Any]) -> None:
            for job in data["jobs"]:
                folder = manifest.parent / job["name"]
                job["files"] = {name: digest(folder / name) for name in job["files"]}

        self.rewrite(manifest, change)
