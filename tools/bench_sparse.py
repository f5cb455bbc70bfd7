"""Count what clustered and sparse weights take by layer, on an emulated core or this machine.

A model of single layers is built once for each kernel that applies, compared with the interpreter,
and counted: instructions on an emulated core, nanoseconds here. The tables show each kind of kernel
beside the fastest one for plain weights, Winograd's left out. --write puts them into
`docs/performance.md`, and --paces puts what was counted into the tables of the cores.

usage: python tools/bench_sparse.py [--target NAME ...] [--mode MODE ...] [--pattern TEXT]
       [--shape TEXT] [--paces] [--write]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from measure_kernels import ROOT, TABLES, text_of

from edgec.codegen.kernel_table import MODES, Optimize
from edgec.codegen.registry import Io, as_kernel_op
from edgec.codegen.selection import Steps
from edgec.pipeline.compile import Compiled, optimized, write_sources
from edgec.pipeline.graph import Array, Graph, check
from edgec.pipeline.load import tflite
from edgec.pipeline.plan import plan_memory
from edgec.pipeline.verify import run_sample
from edgec.targets.device_protocol import Device
from edgec.targets.profile import Target, load_target
from edgec.targets.session import open_device
from edgec.targets.toolchain import build_image

sys.path.insert(0, str(ROOT))
from tests.support.flatmodel import FlatModel
from tests.support.oracle import run_litert

DOCS = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- bench-sparse: begin -->", "<!-- bench-sparse: end -->"
SEED = 7
KINDS = ("_stored", "_columns", "_squares")
"""How the names of the kernels for clustered and sparse weights end."""

Pattern = Callable[[np.random.Generator, tuple[int, int]], Array]
"""Makes real weights of shape (out_ch, products)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One layer: a convolution of `side` x `side` pixels, or a dense layer where that is 0."""

    name: str
    in_ch: int
    out_ch: int
    kernel: int = 1
    side: int = 0


SHAPES = (
    Shape("conv 3x3 16-32, 16x16", 16, 32, 3, 16),
    Shape("conv 1x1 64-64, 8x8", 64, 64, 1, 8),
    Shape("dense 128-64", 128, 64),
)


def whole(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Return weights of any value."""
    return np.asarray(rng.normal(0, 1, shape))


def centroids(count: int) -> Pattern:
    """Return the pattern of a few values, of which not every output channel has the greatest."""

    def make(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
        reals = np.array(sorted(rng.normal(0, 1, count), key=abs))
        most = rng.integers(min(4, count), count + 1, shape[0])
        return np.array([rng.choice(reals[:n], shape[1]) for n in most])

    return make


def blocks(high: int, wide: int, zeros: float, base: Pattern = whole) -> Pattern:
    """Return the pattern of zero blocks, `high` output channels by `wide` products."""

    def make(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
        grid = (shape[0] // high, shape[1] // wide)
        count = grid[0] * grid[1]
        keep = rng.permutation(count) >= round(zeros * count)
        kept = np.kron(keep.reshape(grid), np.ones((high, wide)))
        return np.asarray(base(rng, shape) * kept)

    return make


def two_of_four(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Return weights of which the two least of each four are zero."""
    fours = whole(rng, shape).reshape(-1, 4)
    order = np.abs(fours).argsort(axis=1).argsort(axis=1)
    return np.asarray((fours * (order >= 2)).reshape(shape))


PATTERNS: dict[str, Pattern] = {
    "any": whole,
    "16 values": centroids(16),
    "4 values": centroids(4),
    "16 values, half zero": blocks(1, 1, 0.5, centroids(16)),
    "half zero": blocks(1, 1, 0.5),
    "3/4 zero": blocks(1, 1, 0.75),
    "2:4": two_of_four,
    **{
        f"{high}x{wide} blocks, {int(100 * zeros)} % zero": blocks(high, wide, zeros)
        for high, wide in ((1, 4), (4, 1), (4, 4))
        for zeros in (0.25, 0.5, 0.75, 0.9)
    },
}


def quantised(weights: Array) -> tuple[Array, list[float]]:
    """Return int8 weights and the scale of each output channel."""
    largest = np.abs(weights).max(axis=1)
    scales = np.where(largest > 0, largest / 127, 1.0).astype(np.float32)
    return np.rint(weights / scales[:, None]).astype(np.int8), [float(s) for s in scales]


def add_layer(model: FlatModel, shape: Shape, pattern: Pattern, rng: np.random.Generator) -> None:
    """Add one layer of a shape."""
    length = shape.kernel**2 * shape.in_ch
    weights, scales = quantised(pattern(rng, (shape.out_ch, length)))
    spread = 0.05 * max(scales) * 40
    bias = rng.integers(-500, 500, shape.out_ch)
    ends = ((1, shape.in_ch), (1, shape.out_ch))
    tensor = (shape.out_ch, length)
    if shape.side:
        ends = tuple((1, shape.side, shape.side, n) for n in (shape.in_ch, shape.out_ch))
        tensor = (shape.out_ch, shape.kernel, shape.kernel, shape.in_ch)
    x = model.input(ends[0], "int8", 0.05, 3)
    w = model.tensor(tensor, "int8", scales, data=weights)
    b = model.tensor((shape.out_ch,), "int32", [0.05 * s for s in scales], data=bias)
    y = model.output(ends[1], "int8", spread, -4)
    if shape.side:
        options = schema.Conv2DOptionsT()
        options.strideH = options.strideW = 1
        model.op("CONV_2D", [x, w, b], [y], options, version=3)
    else:
        model.op("FULLY_CONNECTED", [x, w, b], [y], schema.FullyConnectedOptionsT(), version=12)


@dataclass(frozen=True, slots=True)
class Row:
    """What one kernel took for one layer."""

    shape: str
    pattern: str
    kernel: str
    flash_bytes: int
    stated: int
    counted: int


def measure(target: Target, shapes: list[Shape], patterns: dict[str, Pattern]) -> Iterator[Row]:
    """Build, check and count every kernel of every layer."""
    rng = np.random.default_rng(SEED)
    model, layers = FlatModel(), []
    for shape in shapes:
        for name, pattern in patterns.items():
            add_layer(model, shape, pattern, rng)
            layers.append((shape.name, name))
    graph = check(tflite.parse(model.bytes(), "layers"))
    trial = Trial(model.bytes(), graph, model.draw_inputs(1))
    found = {
        op.outputs: (kernel.lower(io), *kernel.variants(io, target.features))
        for op in graph.ops
        for kernel, io in [(as_kernel_op(op), Io.of(graph, op))]
    }
    names = dict(zip((op.outputs for op in graph.ops), layers, strict=True))
    for rank in range(max(map(len, found.values()))):
        steps = {o: s[min(rank, len(s) - 1)] for o, s in found.items()}
        for outputs, taken in trial.run(target, steps).items():
            step = steps[outputs]
            if step.cost is not None and rank < len(found[outputs]):
                cost = step.cost
                yield Row(*names[outputs], step.kernel, cost.flash_bytes, cost.instructions, taken)


@dataclass(frozen=True, slots=True)
class Trial:
    """A model of single layers and one sample of its inputs."""

    content: bytes
    source: Graph
    sample: list[Array]

    def run(self, target: Target, steps: Steps) -> dict[tuple[str, ...], int]:
        """Return what each layer took, by its outputs, once these are what they should be."""
        graph, plan = plan_memory(self.source, target.features, steps=steps)
        want = run_litert(self.content, [self.sample])[0]
        with tempfile.TemporaryDirectory(prefix="edgec-sparse-") as folder:
            compiled = Compiled(self.content, self.source, graph, plan)
            write_sources(compiled, target, Path(folder))
            image = build_image(Path(folder) / "firmware", target, profile=True)
            with open_device(image, target) as device:
                got = run_sample(device, graph, self.sample)
                for mine, theirs in zip(got, want, strict=True):
                    if mine.tobytes() != theirs.tobytes():
                        raise SystemExit("an output differs from the interpreter's")
                return self._counts(device, graph)

    @staticmethod
    def _counts(device: Device, graph: Graph) -> dict[tuple[str, ...], int]:
        """Return the least count of each layer; on an emulated core one run is enough."""
        least: dict[int, int] = {}
        for _ in range(1 if device.info.unit == "instructions" else 30):
            device.run(1)
            for row in device.layers():
                least[row.layer] = min(row.count, least.get(row.layer, row.count))
        return {op.outputs: least[index] for index, op in enumerate(graph.ops)}


def paces(rows: list[Row]) -> dict[str, float]:
    """Return what was counted for each stated instruction, by kernel."""
    sums: dict[str, list[int]] = {}
    for row in rows:
        total = sums.setdefault(row.kernel, [0, 0])
        total[0] += row.stated
        total[1] += row.counted
    return {k: float(f"{taken / stated:.4g}") for k, (stated, taken) in sorted(sums.items())}


def write_paces(cpu: str, mode: Optimize, found: dict[str, float]) -> None:
    """Enter the paces into the core's table: of the kernels that no benchmark model needs.

    The table of a machine that is `like` a core has all kernels, by what the plain convolution
    takes.
    """
    path = TABLES / f"{cpu}.json"
    table = json.loads(path.read_text(encoding="utf-8"))
    own = "like" in table
    unit = found["edgec_conv_2d_int8"] if own else 1.0
    for kernel, pace in found.items():
        if own or kernel.endswith(KINDS):
            entry = table["paces"].setdefault(kernel, [1.0] * len(MODES))
            entry[MODES.index(mode)] = float(f"{pace / unit:.4g}")
    table["paces"] = dict(sorted(table["paces"].items()))
    like = f'{{\n "like": {json.dumps(table.pop("like"))},' if own else "{"
    path.write_text(text_of(table).replace("{", like, 1), encoding="utf-8")


def best_rows(rows: list[Row]) -> Iterator[tuple[str, ...]]:
    """Yield, for each layer, the kernels for plain weights and for packed ones beside them."""
    for shape, pattern in dict.fromkeys((r.shape, r.pattern) for r in rows):
        layer = [r for r in rows if (r.shape, r.pattern) == (shape, pattern)]
        fast = [r for r in layer if not r.kernel.endswith((*KINDS, "winograd"))]
        plain = min(fast, key=lambda r: r.counted)
        kinds = {kind: [r for r in layer if r.kernel.endswith(kind)] for kind in KINDS}
        cells = [shape, pattern, f"{plain.counted:,}", f"{plain.flash_bytes:,}"]
        for kind, found in kinds.items():
            if not found:
                cells += ["", ""]
                continue
            # what is stored is stored for its flash
            least = kind == KINDS[0]
            best = min(found, key=lambda r: r.flash_bytes if least else r.counted)
            cells.append(f"{best.counted / plain.counted:.2f}")
            cells.append(f"{best.flash_bytes / plain.flash_bytes:.2f}")
        yield tuple(cells)


def markdown(target: Target, rows: list[Row], unit: str) -> list[str]:
    """Return the table of one target as lines of Markdown."""
    heads = ["layer", "weights", unit, "flash"]
    for kind in KINDS:
        heads += [f"{kind[1:]}: {unit}", "flash"]
    marks = ["---"] * 2 + ["---:"] * (len(heads) - 2)
    lines = [f"{target.name}:", "", f"| {' | '.join(heads)} |", f"| {' | '.join(marks)} |"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in best_rows(rows)), ""]


def write_docs(lines: list[str]) -> None:
    """Put the tables between their marks in the docs."""
    text = DOCS.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    body = "\n".join(lines)
    DOCS.write_text(f"{head}{BEGIN}\n{body}{END}{tail}", encoding="utf-8")


def main() -> int:
    """Measure and print, and write what is asked for."""
    parser = argparse.ArgumentParser(description="Count clustered and sparse layers.")
    parser.add_argument("--target", action="append", help="a target (may be repeated)")
    parser.add_argument("--mode", action="append", choices=MODES, help="speed unless given")
    parser.add_argument("--pattern", action="append", help="only patterns with this in their name")
    parser.add_argument("--shape", default="", help="only layers with this in their name")
    parser.add_argument("--paces", action="store_true", help="write the tables of paces")
    parser.add_argument("--write", action="store_true", help="write the tables in the docs")
    chosen = parser.parse_args()
    shapes = [shape for shape in SHAPES if chosen.shape in shape.name]
    wanted = chosen.pattern or [""]
    patterns = {n: make for n, make in PATTERNS.items() if any(text in n for text in wanted)}
    lines: list[str] = []
    for name in chosen.target or ["cortex-m4", "x86"]:
        for mode in chosen.mode or ["speed"]:
            target = optimized(load_target(name), mode)
            rows = list(measure(target, shapes, patterns))
            unit = "ns" if target.runner == "native" else "instructions"
            lines += markdown(target, rows, unit)
            if chosen.paces:
                write_paces(target.cpu, mode, paces(rows))
            for kernel, pace in paces(rows).items():
                print(f"{name} {mode} {kernel}: pace {pace}", file=sys.stderr)
    print("\n".join(lines))
    if chosen.write:
        write_docs(lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
