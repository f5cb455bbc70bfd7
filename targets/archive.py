"""Packs the agent into one file that any Python runs, the same bytes each time."""

from __future__ import annotations

import zipfile
from pathlib import Path

HERE = Path(__file__).parent
PARTS = ("frames.py", *(f"agent/{name}.py" for name in ("__init__", "server", "litert", "ort")))


def pack_agent(out: Path) -> Path:
    """Write the agent to `out` and return it: `python3 OUT RUNTIME MODEL` answers frames."""
    texts = {f"edgec/targets/{part}": (HERE / part).read_bytes() for part in PARTS}
    texts |= {"edgec/__init__.py": b"", "edgec/targets/__init__.py": b""}
    texts["__main__.py"] = (HERE / "agent" / "__main__.py").read_bytes()
    with zipfile.ZipFile(out, "w") as archive:
        for name in sorted(texts):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, texts[name], zipfile.ZIP_DEFLATED, 9)
    return out
