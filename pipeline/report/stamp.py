"""When a measurement was made, and of which commit: what tells two equal results apart."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edgec.pipeline.errors import EdgecError, InfrastructureError
from edgec.targets.toolchain import run


def stamp(folder: Path | None = None) -> dict[str, Any]:
    """Return id, time and, in a git repository, the commit of a folder (or where we are)."""
    return now(git_facts(folder))


def now(git: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return id and time, and the commit that is given, if any is."""
    time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    facts: dict[str, Any] = {"id": uuid.uuid4().hex, "time": time}
    return facts if git is None else {**facts, "git": dict(git)}


def git_facts(folder: Path | None = None) -> dict[str, Any] | None:
    """Return the commit of a folder and whether files differ from it, None where there is none."""

    def git(*words: str) -> str:
        argv = ["git", "-C", str(folder or Path.cwd()), *words]
        return run(argv, timeout_s=60, failure=InfrastructureError).stdout.strip()

    try:
        commit = git("rev-parse", "--verify", "HEAD")
        return {"commit": commit, "dirty": bool(git("status", "--porcelain", "-uno"))}
    except EdgecError:
        # No git, no repository or no commit: the result is of none.
        return None
