"""The bundle: one folder that holds everything a build made, and its manifest.

A bundle is made beside its place and moved there whole, so that a failed or interrupted build
leaves the last good one as it was.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgec.pipeline.errors import UsageError

MANIFEST = "manifest.json"
SCHEMA = "edgec.bundle/1"


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file of the bundle; `path` is relative to its root."""

    kind: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """A finished bundle; `options` are those that shaped the generated code."""

    root: Path
    name: str
    target: str
    backend: str
    model_sha256: str
    options: Mapping[str, Any]
    versions: Mapping[str, str]
    artifacts: tuple[Artifact, ...]

    def path(self, kind: str) -> Path:
        """Return the file of the first artifact of a kind."""
        found = next((a for a in self.artifacts if a.kind == kind), None)
        if found is None:
            raise UsageError(f"{self.root}: the bundle holds no {kind}")
        return self.root / found.path


_KINDS = {
    "model.tflite": "model",
    "result.json": "result",
    "report.md": "report",
    "flags.mk": "flags",
    "flags.cmake": "flags",
}


def write_manifest(
    root: Path,
    name: str,
    target: str,
    backend: str,
    options: Mapping[str, Any],
    versions: Mapping[str, str],
) -> Bundle:
    """Hash every file under `root`, write the manifest and return the bundle.

    Objects and images of the compiler are left out: they follow from the rest.
    """
    hashes = _Hashes()
    artifacts = tuple(
        Artifact(_kind(path.relative_to(root)), str(path.relative_to(root)), hashes.of(path))
        for path in sorted(root.rglob("*"))
        if path.is_file() and not _built(path.relative_to(root))
    )
    model = next(a.sha256 for a in artifacts if a.kind == "model")
    bundle = Bundle(root, name, target, backend, model, options, versions, artifacts)
    facts = {"schema": SCHEMA, **{k: v for k, v in asdict(bundle).items() if k != "root"}}
    text = json.dumps(facts, indent=2, sort_keys=True) + "\n"
    (root / MANIFEST).write_text(text, encoding="utf-8")
    return bundle


def read_bundle(root: Path) -> Bundle:
    """Return the bundle in a folder; raise UsageError if there is none or it was changed."""
    path = root / MANIFEST
    if not path.is_file():
        raise UsageError(f"{root}: no {MANIFEST}", "give the folder that 'edgec build' wrote")
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if facts.pop("schema") != SCHEMA:
            raise ValueError(f"schema {SCHEMA} wanted")
        artifacts = tuple(Artifact(**a) for a in facts.pop("artifacts"))
        bundle = Bundle(root=root, artifacts=artifacts, **facts)
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{path}: not a manifest: {error}", "build the bundle again") from error
    hashes = _Hashes()
    for artifact in bundle.artifacts:
        file = root / artifact.path
        if not file.is_file() or hashes.of(file) != artifact.sha256:
            raise UsageError(
                f"{file}: missing, or changed since it was built", "build the bundle again"
            )
    return bundle


@contextmanager
def new_bundle(out: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `out` if the block succeeds.

    Raises UsageError if `out` cannot be written, or is something else than a bundle.
    """
    if out.exists() and not (out / MANIFEST).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out}: exists and is not a bundle", "choose another folder with -o")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise UsageError(
            f"{out.parent}: cannot write: {error.strerror}", "choose another folder with -o"
        ) from error
    try:
        yield work
        work.chmod(0o755)
        _replace(work, out)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _replace(work: Path, out: Path) -> None:
    if not out.exists():
        work.rename(out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}.old.", dir=out.parent)) / "bundle"
    out.rename(old)
    try:
        work.rename(out)
    except OSError:
        old.rename(out)
        raise
    finally:
        shutil.rmtree(old.parent, ignore_errors=True)


def _kind(path: Path) -> str:
    if path.parts[0] in ("src", "firmware", "tflm"):
        return path.parts[0]
    return _KINDS.get(path.name, path.suffix.lstrip(".") or "file")


def _built(path: Path) -> bool:
    return path.name == MANIFEST or path.parts[:2] in (
        ("firmware", "build"),
        ("firmware", "build-profile"),
        ("firmware", "build-mlperf"),
    )


class _Hashes:
    """Hashes files, one that has several names once: weights are linked, not copied."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], str] = {}

    def of(self, path: Path) -> str:
        """Return the SHA-256 of a file."""
        with path.open("rb") as file:
            facts = os.fstat(file.fileno())
            key = (facts.st_dev, facts.st_ino)
            if key not in self._known:
                self._known[key] = hashlib.file_digest(file, "sha256").hexdigest()
        return self._known[key]
