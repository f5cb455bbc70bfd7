"""Where edgec keeps work that would take long to do again; all of it may be deleted."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(kind: str) -> Path:
    """Return the folder of one kind of work: `EDGEC_CACHE`, or edgec's in the user's cache."""
    own = os.environ.get("EDGEC_CACHE")
    if own:
        return Path(own).absolute() / kind
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base).absolute() / "edgec" / kind
