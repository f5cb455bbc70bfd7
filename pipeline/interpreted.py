"""A model file that a runtime interprets on the device, through edgec's agent: what two backends
share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from edgec.codegen.registry import Io, as_kernel_op
from edgec.pipeline.graph import Graph
from edgec.pipeline.oracle import Oracle, Sample
from edgec.pipeline.report.result import Layer, Memory, Result, with_measurement
from edgec.pipeline.subject import Subject
from edgec.pipeline.verify import Tolerance
from edgec.targets.archive import pack_agent
from edgec.targets.bench import BenchResult
from edgec.targets.profile import Target, load_target
from edgec.targets.script import ORT, Runtime, Script
from edgec.targets.toolchain import Image

HOST = "x86"

Contract = tuple[Callable[[], Oracle], Tolerance]
"""What opens a fresh reference, and the tolerance."""


@dataclass(frozen=True, slots=True, eq=False)
class Interpreted:
    """A model file, and the agent that runs it in `runtime`; `folder` is where the agent goes.

    `contract` says for a target what its answers are compared with and how far they may be from
    it: other machines have other kernels.
    """

    backend: str
    model: Path
    runtime: Runtime
    subject: Subject
    folder: Path
    ports: Graph
    contract: Callable[[Target], Contract]
    on: Target | None = None

    @property
    def target(self) -> Target:
        """What it was built for."""
        return self.on or self.subject.target

    @property
    def oracle(self) -> Oracle:
        """What answers are compared with."""
        return self.contract(self.target)[0]()

    @property
    def allowed(self) -> Tolerance:
        """How far they may be from that."""
        return self.contract(self.target)[1]

    def planned(self) -> Result:
        """Return the layers as the file has them, as far as edgec knows its operators."""
        subject, options, target = self.subject, self.subject.options, self.target
        sizes = [self.ports[name].size_bytes for name in (*self.ports.inputs, *self.ports.outputs)]
        return Result(
            model=subject.name,
            source=subject.source.name,
            model_sha256=_sha256(self.model),
            target=target.name,
            backend=self.backend,
            cpu=target.cpu,
            clock_hz=target.clock_hz,
            runner=target.runner,
            rounding="as the runtime",
            optimize=options.optimize,
            threads=options.threads,
            layers=_layers(self.ports),
            memory=Memory(None, None, sum(sizes), None, model_bytes=self.model.stat().st_size),
        )

    def image(self) -> Image:
        """Pack the agent; nothing is compiled."""
        return self._image(profile=False)

    def profile_image(self) -> Image | None:
        """Return one that asks the runtime for times of layers, where it tells them."""
        return self._image(profile=True) if self.runtime is ORT else None

    def on_host(self, folder: Path) -> Interpreted | None:
        """Return the same for this machine, None if that is the target."""
        if self.target.runner == "native":
            return None
        return replace(self, folder=folder, on=load_target(HOST))

    def explain(self, sample: Sample) -> str:
        """Say nothing: a runtime shows no layer's output."""
        del sample
        return ""

    def measured(self, result: Result, bench: BenchResult) -> Result:
        """Return the result with times and peak memory."""
        measured = with_measurement(result, bench)
        return replace(measured, layers=_told(bench) or measured.layers)

    def _image(self, *, profile: bool) -> Image:
        agent = pack_agent(self.folder / "agent.pyz")
        name, target = self.subject.name, self.target.name
        words: list[str | Path] = [self.model, "--name", name, "--target", target]
        words += ["--threads", str(self.subject.options.threads)]
        words += ["--profile"] if profile else []
        build = _sha256(agent)[:16]
        words += ["--build", build]
        script = Script(agent, tuple(words), self.runtime)
        return Image(
            elf=agent, bin=None, hex=None, map=None, target=target, model=name,
            model_sha256=_sha256(self.model), build=build, profile=profile, size=None,
            script=script,
        )  # fmt: skip


def _layers(graph: Graph) -> tuple[Layer, ...]:
    rows = []
    for index, op in enumerate(graph.ops):
        io = Io.of(graph, op)
        weights = sum(t.size_bytes for t in io.inputs if t is not None and t.data is not None)
        macs = as_kernel_op(op).macs(io)
        rows.append(Layer(index, op.title, io.y.shape, "", macs, weights))
    return tuple(rows)


def _told(bench: BenchResult) -> tuple[Layer, ...]:
    """Return the layers that the runtime tells of, which are others than the file's."""
    return tuple(
        Layer(index, name.partition(" ")[0], (), name.partition(" ")[2], 0, 0, row.count)
        for index, (name, row) in enumerate(zip(bench.layer_names, bench.per_op, strict=False))
    )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for chunk in iter(lambda: stream.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()
