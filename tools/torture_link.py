"""Tortures the link: 100,000 frames over bad lines to firmware that runs, with resets in between.

Lines run side by side, each with a seed of its own, because a bad line is mostly waited for. The
firmware is that of this machine, built with sanitizers, or an emulated board's (`--target`). Ends
with an error if a wrong result was believed or a call took longer than it may.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from edgec.codegen.project import render_project
from edgec.targets.device_protocol import Device, Timeouts
from edgec.targets.links.serial import SerialLink
from edgec.targets.profile import load_target
from edgec.targets.runners import qemu
from edgec.targets.toolchain import build_image
from tests.support.bad_line import BadLine, Board, EmulatedBoard, ProcessBoard
from tests.support.torture import QUICK, Tally, torture
from tests.tiny_model import MODEL, write_tiny

# An emulated board needs its turn on the machine for each byte that wakes it.
EMULATED = Timeouts(reply_s=0.1, inference_s=0.5)

SANITIZE = "-fsanitize=address,undefined -fno-sanitize-recover=all -g"


def build(folder: Path, target_name: str) -> Path:
    """Build the tiny model's firmware; that of this machine with sanitizers."""
    target = load_target(target_name)
    project = render_project(write_tiny(folder / "lib"), target, folder / "fw", MODEL)
    if target.memories:
        return build_image(project, target).elf
    environment = {**os.environ, "CFLAGS": SANITIZE, "LDFLAGS": SANITIZE}
    subprocess.run(["make", "-s", "-C", str(project), "-j2"], check=True, env=environment)
    return project / "build" / "image.elf"


@contextmanager
def started(image: Path, target_name: str) -> Iterator[Board]:
    """Yield a board that runs the image and can be reset."""
    target = load_target(target_name)
    if not target.memories:
        yield ProcessBoard(image)
        return
    with tempfile.TemporaryDirectory() as folder:
        monitor = Path(folder) / "monitor"
        with qemu.start(image, target, extra=("-qmp", f"unix:{monitor},server=on,wait=off")) as end:
            port = re.search(r":(\d+)$", end.address)
            assert port is not None
            yield EmulatedBoard(int(port[1]), monitor)


def one_line(image: Path, target_name: str, frames: int, seed: int) -> tuple[Tally, BadLine]:
    """Torture one line; its counts are in what is returned."""
    emulated = bool(load_target(target_name).memories)
    with (
        started(image, target_name) as board,
        BadLine(board, share=0.3, resets=0.05, seed=seed) as line,
    ):
        timeouts = EMULATED if emulated else QUICK
        instruction_ns = 1 << qemu.ICOUNT_SHIFT if emulated else None
        device = Device(SerialLink(line.address, 921600), instruction_ns, timeouts)
        tally = torture(line, device, frames, seed)
        device.link.close()
    return tally, line


def counted(job: tuple[Path, str, int, int]) -> tuple[Tally, dict[str, int], Counter[str]]:
    """Run a line in a process of its own; return what can be sent back from there."""
    tally, line = one_line(*job)
    counts = {
        "frames to the device": line.to_board.frames,
        "frames to the host": line.to_host.frames,
        "resets": line.reset_count,
    }
    return tally, counts, line.to_board.faults + line.to_host.faults


def main() -> None:
    """Run the lines and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--lines", type=int, default=8)
    parser.add_argument("--target", default="x86", help="x86, or an emulated board")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        image = build(Path(folder), args.target)
        each = -(-args.frames // args.lines)
        jobs = [(image, args.target, each, args.seed + 1000 * n) for n in range(args.lines)]
        with ProcessPoolExecutor(args.lines) as pool:
            done = list(pool.map(counted, jobs))
    totals: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    longest: dict[str, float] = {}
    for tally, counts, line_faults in done:
        totals.update(counts | {"right results": tally.right, "retries": tally.retries})
        faults += line_faults
        failures += tally.failures
        for what, took in tally.longest_s.items():
            longest[what] = max(longest.get(what, 0.0), took)
    print(f"{args.target}, {args.lines} lines, {time.monotonic() - start:.0f} s")
    for title, rows in (("", totals), ("faults", faults), ("named failures", failures)):
        print(title, ", ".join(f"{name} {count:,}" for name, count in rows.items()), sep=": ")
    print("longest calls:", ", ".join(f"{what} {took:.2f} s" for what, took in longest.items()))
    print("wrong results believed: 0")


if __name__ == "__main__":
    main()
