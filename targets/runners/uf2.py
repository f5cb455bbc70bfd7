"""Copies a UF2 file to the drive that the boot loader of RP2040 and RP2350 shows.

The drive is known by `Board-ID` in its INFO_UF2.TXT. The chip reboots when the last block has come,
which some systems report as a write error after the copy was done.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from edgec.targets.flash_failures import failed
from edgec.targets.flash_tool import Command, FlashTool, Job, symptoms

MOUNTS = Path("/proc/mounts")
VOLUMES = Path("/Volumes")


def drives(board_id: str) -> list[Path]:
    """Return the mounted boot-loader drives of boards with this ID, sorted."""
    found = []
    for folder in _mounted():
        info = folder / "INFO_UF2.TXT"
        try:
            text = info.read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        match = re.search(r"^Board-ID:\s*(\S+)", text, re.MULTILINE)
        if match and match[1].startswith(board_id):
            found.append(folder)
    return sorted(found)


def _mounted() -> Iterable[Path]:
    if MOUNTS.exists():
        for line in MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines():
            _, folder, kind, *_ = line.split(" ")
            if kind in ("vfat", "msdos", "fuseblk"):
                # Spaces in a mount point are written as octal.
                yield Path(re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), folder))
    elif VOLUMES.is_dir():
        yield from VOLUMES.iterdir()


def prepare(job: Job) -> Job:
    """Find the drive; exactly one must be there, else nothing is copied."""
    if job.port:
        return job
    found = drives(job.text("board_id"))
    if len(found) != 1:
        name = "probe-ambiguous" if found else "drive-not-found"
        raise failed(name, "uf2", said="\n".join(map(str, found)))
    return replace(job, port=str(found[0]))


def flash(job: Job) -> tuple[Command, ...]:
    """Copy the image to the drive."""
    return (Command(("cp", job.images["uf2"], f"{job.port}/")),)


TOOL = FlashTool(
    name="uf2",
    bootloader=True,
    program="cp",
    image="uf2",
    can=frozenset(),
    options={"board_id": True, "family": True},
    flash=flash,
    install="cp is part of every system",
    prepare=prepare,
    # The drive is gone when the copy has gone well, and may be when it has not.
    repeats=False,
    symptoms=symptoms(
        (r"[Pp]ermission denied|Read-only file system", "permission"),
        (r"No space left", "bad-image"),
        (r"cannot stat|No such file", "bad-image"),
        (r"Input/output error", "usb"),
    ),
)
