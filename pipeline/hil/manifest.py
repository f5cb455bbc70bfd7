"""The manifest of a pack: firmware with inputs and right answers, every file by its SHA-256.

A lab needs nothing else: no compiler, no model, no framework, and no checkout.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from edgec.pipeline.errors import UsageError
from edgec.pipeline.report.schema import checked, read_checked

SCHEMA = "edgec.hil/1"
MANIFEST = "manifest.json"
HINT = "give the manifest.json that 'edgec hil pack' wrote"


@dataclass(frozen=True, slots=True)
class Job:
    """One image to measure; `facts` is its object in the manifest, `folder` where its files are."""

    name: str
    model: str
    target: str
    board: str
    folder: Path
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Manifest:
    """The jobs of a pack, and the commit that it was built from."""

    jobs: tuple[Job, ...]
    git: Mapping[str, Any] | None
    sha256: str


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_manifest(path: Path, sha256: str = "") -> Manifest:
    """Read a manifest, and compare every file with its hash; raise UsageError if one differs.

    `sha256` is what the manifest itself must have, where it is known.
    """
    file = path / MANIFEST if path.is_dir() else path
    data = read_checked(file, "hil", HINT)
    own = digest(file)
    if sha256 and own != sha256.lower():
        raise UsageError(f"{file}: its SHA-256 is {own}, {sha256} wanted", "fetch the pack again")
    jobs = tuple(_job(file.parent, facts) for facts in data["jobs"])
    names = [job.name for job in jobs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"{file}: two jobs are named {twice[0]!r}")
    return Manifest(jobs, data.get("git"), own)


def _job(root: Path, facts: Mapping[str, Any]) -> Job:
    folder = root / facts["name"]
    checked(facts["planned"], "bench", f"{root / MANIFEST}: {facts['name']}", HINT)
    if facts["profile"] is not None and "profile.elf" not in facts["files"]:
        raise UsageError(f"{root / MANIFEST}: {facts['name']}: no profile.elf", HINT)
    for name, wanted in facts["files"].items():
        path = folder / PurePosixPath(name)
        linked = folder.is_symlink() or path.is_symlink()
        if linked or not path.is_file() or digest(path) != wanted:
            raise UsageError(
                f"{path}: missing, or not the file that was packed", "fetch the pack again"
            )
    return Job(
        facts["name"],
        facts["planned"]["model"]["name"],
        facts["planned"]["target"]["name"],
        facts["board"],
        folder,
        facts,
    )
