"""Packs bundles for a lab: images, inputs and the oracle's answers, and a manifest of hashes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

import edgec
from edgec.pipeline.driver import reopened
from edgec.pipeline.errors import UsageError
from edgec.pipeline.graph import Interface
from edgec.pipeline.hil.manifest import MANIFEST, SCHEMA, digest
from edgec.pipeline.report.document import document
from edgec.pipeline.report.stamp import git_facts
from edgec.pipeline.trial import Trial
from edgec.pipeline.worker import Progress, Report
from edgec.targets.toolchain import Image, compiler_version

SUFFIXES = (".elf", ".bin", ".hex", ".uf2")


def pack(
    bundles: Sequence[Path],
    out: Path,
    *,
    samples: int = 3,
    board: str = "",
    target: str | None = None,
    progress: Report,
) -> Path:
    """Compile bundles and write what a lab needs to measure them to `out`; return the manifest.

    `board` is the name of the one board that may run them, any of the right type if it is empty.
    Raises UsageError if two of them have one name, or `out` is there and not empty.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out}: exists and is not empty", "choose another folder with -o")
    jobs: list[dict[str, Any]] = []
    for bundle in bundles:
        with reopened(bundle, target, None, None, samples, progress) as trial:
            name = f"{trial.built.planned().model}-{trial.built.target.name}"
            if any(job["name"] == name for job in jobs):
                raise UsageError(
                    f"{bundle}: {name} is in the pack already", "build it with another --name"
                )
            progress(Progress("pack", len(jobs), len(bundles), name))
            jobs.append({**pack_job(trial, out / name), "name": name, "board": board})
    return write_manifest(out, jobs)


def write_manifest(out: Path, jobs: Sequence[Mapping[str, Any]]) -> Path:
    """Write the manifest of a folder of packed jobs, and return it."""
    git = git_facts()
    facts = {
        "schema": SCHEMA,
        "tool": {"name": "edgec", "version": edgec.__version__},
        **({} if git is None else {"git": git}),
        "jobs": jobs,
    }
    path = out / MANIFEST
    path.write_text(json.dumps(facts, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return path


def pack_job(trial: Trial, folder: Path) -> dict[str, Any]:
    """Write the files of one job; return its object in the manifest, but for name and board."""
    built = trial.built
    folder.mkdir(parents=True)
    image, slow = built.image(), built.profile_image()
    _copy(image, folder, "image")
    if slow is not None:
        _copy(slow, folder, "profile")
    _write_samples(trial, folder / "samples.npz")
    compiler = compiler_version(built.target.toolchain)
    planned = replace(built.planned(), compiler=compiler, not_run=("verification and measurement",))
    return {
        "files": {path.name: digest(path) for path in sorted(folder.iterdir())},
        "planned": document(planned),
        "ports": {"inputs": _ports(built.ports, True), "outputs": _ports(built.ports, False)},
        "oracle": built.oracle.name,
        "allowed": asdict(built.allowed),
        "samples": len(trial.samples),
        "image": _image(image),
        "profile": None if slow is None else _image(slow),
    }


def _copy(image: Image, folder: Path, name: str) -> None:
    for suffix in SUFFIXES:
        path = image.elf.with_suffix(suffix)
        if path.is_file():
            shutil.copyfile(path, folder / f"{name}{suffix}")
            (folder / f"{name}{suffix}").chmod(path.stat().st_mode & 0o777)


def _write_samples(trial: Trial, path: Path) -> None:
    """Write the inputs, and what the oracle answers to each."""
    oracle, arrays = trial.built.oracle, {}
    for number, sample in enumerate(trial.samples):
        for kind, values in (("input", sample), ("output", oracle.run(sample))):
            for index, value in enumerate(values):
                arrays[f"{kind}_{number}_{index}"] = np.ascontiguousarray(value)
    np.savez(path, allow_pickle=False, **arrays)


def _ports(ports: Interface, ins: bool) -> list[dict[str, Any]]:
    names = ports.inputs if ins else ports.outputs
    return [
        {"name": n, "dtype": ports[n].dtype.value, "shape": list(ports[n].shape)} for n in names
    ]


def _image(image: Image) -> dict[str, Any]:
    size = image.size
    if size is None:
        raise UsageError(f"{image.model}: is interpreted, there is no firmware of it to pack")
    return {
        "sha256": image.model_sha256,
        "build": image.build,
        "library": asdict(size.library),
        "firmware": asdict(size.firmware),
        "arena_bytes": size.arena_bytes,
        "io_bytes": size.io_bytes,
        "binary_bytes": image.binary_bytes,
    }
