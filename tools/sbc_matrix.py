"""Build the benchmark models with every backend, push them over SSH, and verify them there.

Without a device of one's own, the device is a real sshd on the loopback whose programs run under
QEMU's user mode in a Debian of the target's architecture (`tools/sbc_root.sh`): every step is real,
times are not, and none are shown. With `--device NAME` it is a device of the user
(`edgec device add`), for the one `--target` that it is.

Writes `build/sbc-matrix.json`, a list of rows: target, model, source, dtype, backend, inputs,
oracle, within, layers, vectors (how many of them vector kernels or TVM compute), ok, why.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from edgec.pipeline.driver import bench, build
from edgec.pipeline.errors import EdgecError
from edgec.pipeline.report.result import Result
from edgec.targets.profile import Target, load_target
from tests.support.sshd import SshServer, ssh_server
from tools.bench_x86 import SHARED, TINY, Case, prepared

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "sbc"
DOCS = ROOT / "docs" / "sbc.md"
BEGIN, END = "<!-- sbc-matrix: begin -->", "<!-- sbc-matrix: end -->"
DTYPES = ("int8", "float32")
BACKENDS = ("aot", "tflite", "tvm", "onnxruntime")
TARGETS = ("rpi4", "rpi5", "rpi-armv7")
MACHINES = {"aarch64": ("arm64", "qemu-aarch64"), "armv7l": ("armhf", "qemu-arm")}
"""What `uname -m` says, and what Debian and QEMU call it."""

OLDEST_QEMU = 8
"""QEMU 7.2 crashes in LiteRT and in ONNX Runtime for aarch64."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """A model's file in one number format; `kind` is what it is written in."""

    model: str
    kind: str
    dtype: str
    path: Path


def sources(models: Iterable[str], dtypes: Iterable[str]) -> Iterator[Source]:
    """Yield files of the models: int8 `.tflite`, float32 from Keras and from ONNX."""
    for model in models:
        int8, floats = TINY[model]
        if "int8" in dtypes:
            yield Source(model, "TFLite", "int8", SHARED / int8)
        if "float32" not in dtypes:
            continue
        yield Source(model, "Keras", "float32", SHARED / floats)
        onnx = prepared(Case(model, "float32", SHARED / floats)).onnx
        assert onnx is not None
        yield Source(model, "ONNX", "float32", onnx)


def emulated(server: SshServer, config: Path, target: Target) -> str:
    """Keep a device that runs the target's programs under QEMU; return its name."""
    arch, program = MACHINES[target.machines[0]]
    root = WORK / f"root-{arch}"
    unpack("python", arch, root)
    python = root / "usr" / "bin" / "python3.11"
    cpu = str(target.runner_options["cpu"])
    server.keep(
        config,
        name=target.name,
        exec_prefix=(qemu(program), "-cpu", cpu, "-L", str(root)),
        python=str(python),
        folder=str(WORK / "devices" / arch),
    )
    return target.name


def qemu(program: str) -> str:
    """Return the emulator of this machine, or a newer one where it is too old."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        if int(said.stdout.split("version ")[1].partition(".")[0]) >= OLDEST_QEMU:
            return program
    except FileNotFoundError:
        pass
    unpack("qemu", WORK / "qemu")
    return str(WORK / "qemu" / "usr" / "bin" / program)


def unpack(*words: str | Path) -> None:
    """Have `sbc_root.sh` make a folder, unless it is there."""
    subprocess.run([ROOT / "tools" / "sbc_root.sh", *map(str, words)], check=True)


def rows_of(source: Source, target: str, device: str, asked: argparse.Namespace) -> Iterator[Row]:
    """Build a bundle of the source, then yield what comes of it with each backend on the device."""
    backends = [b for b in load_target(target).backends if b in (asked.backend or [b])]
    if source.kind != "ONNX" and "onnxruntime" in backends:
        backends.remove("onnxruntime")
    out = WORK / "bundles" / f"{source.model}-{source.kind}-{target}"
    facts = {"target": target, "model": source.model, "source": source.kind, "dtype": source.dtype}
    dtype: Any = source.dtype
    bundle = build(
        source.path, target=target, backend="aot", quantize=dtype, optimize=asked.optimize,
        out=out, verify=False,
    ).bundle  # fmt: skip
    for backend in backends:
        start = time.monotonic()
        row: Row = {**facts, "backend": backend, "inputs": asked.samples, "ok": False}
        try:
            result = bench(
                bundle.root, samples=asked.samples, backend=backend, ssh=device,
                install_runtime=True,
            )  # fmt: skip
            row |= {"ok": True, **findings(result)}
        except EdgecError as error:
            row["why"] = error.message
        row["seconds"] = round(time.monotonic() - start, 1)
        yield row


def findings(result: Result) -> Row:
    """Return how the answers of the device were, which is the last that was verified."""
    there = result.verified[-1]
    vectors = sum("_vector" in row.kernel or "tvm" in row.kernel for row in result.layers)
    return {
        "inputs": there.samples,
        "device": there.device,
        "oracle": there.oracle,
        "within": there.within,
        "vectors": vectors,
        "layers": len(result.layers),
    }


@contextmanager
def devices(asked: argparse.Namespace) -> Iterator[dict[str, str]]:
    """Yield the name of a device for each target; what edgec leaves on ours is an error."""
    if asked.device:
        yield {asked.target[0]: asked.device}
        return
    with tempfile.TemporaryDirectory(prefix="edgec-") as folder:
        config = Path(folder) / "config"
        os.environ["EDGEC_CONFIG_DIR"] = str(config)
        with ssh_server(Path(folder) / "server") as server:
            yield {name: emulated(server, config, load_target(name)) for name in asked.target}
            left = [*server.left().values(), *(WORK / "devices").glob("*/leases/*")]
            if left:
                raise SystemExit(f"left on the device: {left}")


def cell(row: Row | None) -> str:
    """Say in few words what came of a backend."""
    if row is None:
        return ""
    if not row["ok"]:
        return f"FAILED: {row['why']}"
    within = "=" if row["within"] == "byte for byte" else row["within"].replace("within ", "≤ ")
    by = "" if not row["vectors"] else f", {row['vectors']} of {row['layers']}"
    return within.replace(" of the largest value", "") + by


def lines(rows: list[Row]) -> list[tuple[str, ...]]:
    """Return a line for each file and target, with a cell for each backend."""
    found: dict[tuple[str, ...], dict[str, Row]] = {}
    for row in rows:
        key = (row["target"], row["model"], row["source"], row["dtype"])
        found.setdefault(key, {})[row["backend"]] = row
    return [(*key, *(cell(of.get(name)) for name in BACKENDS)) for key, of in found.items()]


def write_docs(rows: list[Row]) -> None:
    """Replace the table in the documentation."""
    head = ("target", "model", "from", "numbers", *BACKENDS)
    table = ["| " + " | ".join(head) + " |", "| --- " * len(head) + "|"]
    table += ["| " + " | ".join(line) + " |" for line in lines(rows)]
    text, _, rest = DOCS.read_text(encoding="utf-8").partition(BEGIN)
    body = "\n".join(table)
    DOCS.write_text(f"{text}{BEGIN}\n{body}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def parsed() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", action="append", help=f"{', '.join(TARGETS)} otherwise")
    parser.add_argument("--model", action="append", choices=list(TINY), help="all otherwise")
    parser.add_argument("--dtype", action="append", choices=DTYPES, help="all otherwise")
    parser.add_argument("--backend", action="append", choices=BACKENDS, help="all otherwise")
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--optimize", default="balanced", choices=("size", "balanced", "speed"))
    parser.add_argument("--device", metavar="NAME", help="a device of the user, of one --target")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "sbc-matrix.json")
    parser.add_argument("--add", action="store_true", help="keep the other rows in OUT")
    parser.add_argument("--docs", action="store_true", help="write the table into docs/ too")
    asked = parser.parse_args()
    asked.target = asked.target or list(TARGETS)
    if asked.device and len(asked.target) != 1:
        parser.error("--device is one computer: it needs one --target")
    if not SHARED.is_dir():
        parser.error(f"no benchmark models in {SHARED}: set EDGEC_MODELS")
    return asked


def is_asked(row: Row, asked: argparse.Namespace) -> bool:
    """Return whether a row is one that is run again."""
    return (
        row["target"] in asked.target
        and row["model"] in (asked.model or TINY)
        and row["dtype"] in (asked.dtype or DTYPES)
        and row["backend"] in (asked.backend or BACKENDS)
    )


def place(row: Row) -> tuple[int, ...]:
    """Return where a row stands in the list."""
    targets = (*TARGETS, row["target"])
    kinds = ("TFLite", "Keras", "ONNX")
    return (
        targets.index(row["target"]),
        list(TINY).index(row["model"]),
        kinds.index(row["source"]),
        BACKENDS.index(row["backend"]),
    )


def keep(rows: list[Row], out: Path) -> None:
    """Write the rows that there are, in their order."""
    rows.sort(key=place)
    out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    """Run the matrix; 1 if one of its cells failed."""
    asked = parsed()
    WORK.mkdir(parents=True, exist_ok=True)
    files = list(sources(asked.model or TINY, asked.dtype or DTYPES))
    rows: list[Row] = []
    if asked.add and asked.out.exists():
        old = json.loads(asked.out.read_text(encoding="utf-8"))
        rows = [row for row in old if not is_asked(row, asked)]
    with devices(asked) as names:
        for target, device in names.items():
            for source in files:
                for row in rows_of(source, target, device, asked):
                    rows.append(row)
                    keep(rows, asked.out)
                    print(target, source.model, source.kind, row["backend"], cell(row),
                          f"{row['seconds']} s", file=sys.stderr)  # fmt: skip
    shown = Table("target", "model", "from", "numbers", *BACKENDS)
    for line in lines(rows):
        shown.add_row(*line)
    Console(width=160).print(shown)
    if asked.docs:
        write_docs(rows)
    right = sum(row["ok"] for row in rows)
    print(f"{right} of {len(rows)} right")
    return 0 if right == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
