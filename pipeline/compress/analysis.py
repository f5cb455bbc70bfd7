"""Which layers do not take 8 bits or zeros, measured one by one on the user's data.

The float model becomes a float `.tflite` once, in the worker; from there on ai-edge-quantizer and
LiteRT do the work: each layer alone in int8, each layer alone pruned, and the whole in int8.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edgec.pipeline.compress.dataset import Dataset, Split
from edgec.pipeline.compress.float_file import FloatFile, Node
from edgec.pipeline.compress.metric import Metric
from edgec.pipeline.compress.recipe import step_lines
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array
from edgec.pipeline.lower.edge_quantizer import exactly, quantize_file
from edgec.pipeline.lower.interpretation import activations, outputs
from edgec.pipeline.worker import Progress, Report

Rewrite = Callable[[Sequence[Mapping[str, Any]]], bytes]

SCHEMA = "edgec.analysis/1"
CALIBRATION = 200
SQNR_SAMPLES = 64
PRUNED_SHARE = 0.5
WIDEST = 5
"""How many layers a repair may give 16 bits, besides those that read them."""
VIEWS = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
"""Ops that only pass values on."""
FREE = (("equalize",), ("equalize", "correct-bias"))
"""Steps that cost nothing at run time, tried first."""
TOLERATED = 0.01
"""How much of the metric a model may lose before a repair is proposed."""


@dataclass(frozen=True, slots=True)
class LayerFinding:
    """One layer; its name is that of its output in the `.tflite`.

    `loss` is what the metric loses by this layer: by its weights in int8, or by its output, which
    is to blame as far as the layer alone and each layer that reads it alone lose. `sqnr_db` is
    signal over quantisation noise of its output when the whole model is int8. `quantized` and
    `pruned` are the metric with this layer alone in int8, or with the smaller half of its weights
    zero. `weight_bytes` are in the image, `count` what it takes there; both and `ram_bytes`
    (inputs and outputs) are None where no image was built.
    """

    name: str
    op: str
    macs: int
    sqnr_db: float
    loss: float
    quantized: float
    pruned: float | None
    weight_bytes: int | None = None
    ram_bytes: int | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Repair:
    """Recipe lines, and the metric they gave on the validation split; None if not tried."""

    recipe: str
    score: float | None


@dataclass(frozen=True, slots=True)
class Analysis:
    """Findings, the worst layer first; `unit` is what layers' counts count."""

    metric: str
    float_score: float
    int8_score: float
    samples: int
    layers: tuple[LayerFinding, ...]
    repairs: tuple[Repair, ...]
    unit: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the findings as JSON-ready data."""
        return {"schema": SCHEMA, **asdict(self)}


def analyze(
    content: bytes, data: Dataset, metric: Metric, rewrite: Rewrite, report: Report
) -> Analysis:
    """Measure every layer of a float `.tflite` on the validation split; propose repairs.

    `rewrite` gives the file that the model becomes after some steps of a recipe. The test split is
    left alone, because what is chosen by it would no longer be held out.
    """
    file = FloatFile(content)
    split, samples = data.validation, data.calibration(CALIBRATION)
    whole = quantize_file(content, samples, report)
    noise = _noise(file, whole, tuple(x[:SQNR_SAMPLES] for x in split.inputs))
    float_score = _score(content, split, metric)
    sign = 1.0 if metric.higher_is_better else -1.0

    def loss(file: bytes | None) -> float:
        return 0.0 if file is None else sign * (float_score - _score(file, split, metric))

    eight: dict[str, float] = {}
    for number, node in enumerate(file.nodes):
        report(Progress("analyze", number, len(file.nodes), node.label))
        eight[node.output] = loss(
            quantize_file(content, samples, _quiet, only=exactly(node.output))
        )
    findings = []
    for number, node in enumerate(n for n in file.nodes if n.op not in VIEWS):
        report(Progress("prune", number, len(file.nodes), node.label))
        weights = loss(_widely(content, samples, node)) if node.weights else 0.0
        readers = [eight[name] for name in node.readers if name in eight]
        pruned = file.pruned(node, PRUNED_SHARE)
        findings.append(
            LayerFinding(
                name=node.output,
                op=node.op,
                macs=node.macs,
                sqnr_db=noise[node.output],
                loss=max(weights, min(eight[node.output], *readers, math.inf)),
                quantized=float_score - sign * eight[node.output],
                pruned=None if pruned is None else _score(pruned, split, metric),
            )
        )
    findings.sort(key=lambda f: (-f.loss, f.sqnr_db))
    int8_score = _score(whole, split, metric)
    repairs: tuple[Repair, ...] = ()
    lost = sign * (float_score - int8_score)
    if lost > TOLERATED:
        trial = _Trial(file, samples, split, metric, float_score, rewrite, report)
        repairs = trial.repairs([f.name for f in findings])
    return Analysis(metric.name, float_score, int8_score, split.count, tuple(findings), repairs)


@dataclass(frozen=True, slots=True)
class _Trial:
    """What repairs are tried on."""

    file: FloatFile
    samples: Sequence[Array]
    split: Split
    metric: Metric
    float_score: float
    rewrite: Rewrite
    report: Report

    def repairs(self, worst: Sequence[str]) -> tuple[Repair, ...]:
        """Try steps that cost nothing, then 16 bits for more and more of the worst layers.

        Ends with what repairs the model; without, the best is returned, and training proposed.
        """
        tried: list[Repair] = []
        for repair in (*self._rewritten(), *self._widened(worst)):
            tried.append(repair)
            if self._repaired(repair):
                return (repair,)
        best = max(tried, key=lambda r: self._sign * (r.score or 0.0))
        return (best, Repair(step_lines([{"use": "qat"}]), None))

    def _rewritten(self) -> Iterator[Repair]:
        for names in FREE:
            self.report(Progress("repair", 0, 0, " and ".join(names)))
            steps = [{"use": name} for name in names]
            made = quantize_file(self.rewrite(steps), self.samples, _quiet)
            score = _score(made, self.split, self.metric)
            yield Repair(step_lines([*steps, {"use": "ptq-fast"}]), score)

    def _widened(self, worst: Sequence[str]) -> Iterator[Repair]:
        """Widen layers and those that read them, which would round to 8 bits again."""
        nodes = {node.output: node for node in self.file.nodes}
        for count in range(1, min(len(worst), WIDEST) + 1):
            names = dict.fromkeys(
                name for w in worst[:count] for name in (w, *nodes[w].readers) if name in nodes
            )
            wide = [self._pattern(nodes[name]) for name in names]
            self.report(Progress("repair", count, WIDEST, f"{len(wide)} layers with 16 bits"))
            made = quantize_file(self.file.content, self.samples, _quiet, wide=wide)
            score = _score(made, self.split, self.metric)
            yield Repair(step_lines([{"use": "ptq-fast", "wide": wide}]), score)

    @property
    def _sign(self) -> float:
        return 1.0 if self.metric.higher_is_better else -1.0

    def _repaired(self, repair: Repair) -> bool:
        assert repair.score is not None
        return self._sign * (self.float_score - repair.score) <= TOLERATED

    def _pattern(self, node: Node) -> str:
        """Return a short expression that matches a node's output and no other."""
        short = "^" + re.escape(node.label)
        matched = [n for n in self.file.nodes if re.search(short, n.output)]
        return short if len(matched) == 1 else exactly(node.output)


def _widely(content: bytes, samples: Sequence[Array], node: Node) -> bytes | None:
    """Return the file with a node's weights in int8 and its activations in 16 bits."""
    only = exactly(node.output)
    try:
        return quantize_file(content, samples, _quiet, bits=16, only=only)
    except UnsupportedModelError:
        return None  # no such form: then its output alone is judged


def _score(content: bytes, split: Split, metric: Metric) -> float:
    return metric.score(outputs(content, split.inputs), split.targets)


def _noise(file: FloatFile, quantized: bytes, inputs: tuple[Array, ...]) -> dict[str, float]:
    """Return the SQNR in dB of every node's output in a quantised copy of the file."""
    wanted, got = activations(file.content, inputs), activations(quantized, inputs)
    return {node.output: _sqnr(wanted[node.output], got[node.output]) for node in file.nodes}


def _sqnr(signal: Array, noisy: Array) -> float:
    """Signal over noise in dB, both summed over all samples; 200 where nothing differs."""
    power = float(np.square(signal, dtype=np.float64).sum())
    noise = float(np.square(signal.astype(np.float64) - noisy).sum())
    if noise == 0.0:
        return 200.0
    return 10.0 * float(np.log10(max(power, 1e-30) / noise))


def _quiet(progress: Progress) -> None:
    """Report nothing."""
