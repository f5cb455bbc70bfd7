"""Scores a finished `.tflite` on held-out samples: in the interpreter and in the generated C."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgec.pipeline.accuracy import quantize
from edgec.pipeline.backends.aot import HOST
from edgec.pipeline.compile import compile_model, write_sources
from edgec.pipeline.compress.dataset import Split
from edgec.pipeline.compress.metric import Metric, confusion
from edgec.pipeline.errors import VerificationError
from edgec.pipeline.graph import Array, DType, Graph, Rounding, Tensor
from edgec.pipeline.oracle import LiteRtOracle, Sample, open_oracle
from edgec.pipeline.verify import first_difference, run_sample, tolerance_of
from edgec.pipeline.worker import Progress, Report
from edgec.targets.profile import load_target
from edgec.targets.session import open_device
from edgec.targets.toolchain import build_image, equipped


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores on the test split; `confusion[wanted][got]` counts samples, None without classes.

    The generated C answered every sample as the interpreter did, or there is no Evaluation;
    `generated_c` is None for a model that is for an interpreter only.
    """

    samples: int
    interpreter: float
    generated_c: float | None
    confusion: tuple[tuple[int, ...], ...] | None


def evaluate(
    model: Path, split: Split, metric: Metric, classes: int | None, report: Report, *, in_c: bool
) -> Evaluation:
    """Run every sample through the interpreter and, `in_c`, through C built for this machine.

    Raises VerificationError where an answer of the C differs.
    """
    if in_c:
        reference, answered = _in_both(model, split, report)
    else:
        reference, answered = _interpreted(model, split, report), None
    table = None
    if classes is not None:
        counts = confusion(reference, split.targets, classes)
        table = tuple(tuple(int(n) for n in row) for row in counts)
    return Evaluation(
        split.count,
        metric.score(reference, split.targets),
        None if answered is None else metric.score(answered, split.targets),
        table,
    )


def _in_both(model: Path, split: Split, report: Report) -> tuple[Array, Array]:
    """Return what interpreter and generated C answer, which must be the same."""
    target = equipped(load_target(HOST), "auto")
    compiled = compile_model(model, "model", Rounding.TFLITE, target)
    oracle = open_oracle(compiled.model, compiled.source, Rounding.TFLITE)
    wanted, got = [], []
    with tempfile.TemporaryDirectory(prefix="edgec-") as folder:
        write_sources(compiled, target, Path(folder))
        with open_device(build_image(Path(folder) / "firmware", target), target) as device:
            for number in range(split.count):
                sample = _sample(compiled.source, [x[number] for x in split.inputs])
                wanted.append(oracle.run(sample)[0])
                got.append(run_sample(device, compiled.graph, sample)[0])
                _require_equal(got[-1], wanted[-1], compiled.graph, number)
                report(Progress("evaluate", number + 1, split.count, "interpreter and C"))
    port = compiled.source[compiled.source.outputs[0]]
    return _real(wanted, port), _real(got, port)


def _interpreted(model: Path, split: Split, report: Report) -> Array:
    """Return what the interpreter answers for a model with float32 ports."""
    oracle = LiteRtOracle(model.read_bytes())
    answers = []
    for number in range(split.count):
        answers.append(oracle.run([x[number : number + 1] for x in split.inputs])[0])
        report(Progress("evaluate", number + 1, split.count, "interpreter"))
    return np.concatenate(answers)


def _sample(graph: Graph, values: Sequence[Array]) -> Sample:
    """Return one sample as the model takes it: quantised, with a batch of 1."""
    tensors = [graph[name] for name in graph.inputs]
    return [quantize(v, t).reshape(t.shape) for v, t in zip(values, tensors, strict=True)]


def _require_equal(got: Array, wanted: Array, graph: Graph, number: int) -> None:
    if first_difference(got, wanted, tolerance_of(graph)) is not None:
        raise VerificationError(
            f"the generated C differs from the interpreter on test sample {number}",
            "this is a defect of edgec: please report it with the model",
        )


def _real(outputs: Sequence[Array], port: Tensor) -> Array:
    """Return outputs, batch 1 each, as float32 of shape (count, *output)."""
    values = np.concatenate(outputs)
    if port.dtype is DType.FLOAT32:
        return values
    scaled = (values.astype(np.float32) - port.q.zero_point) * np.float32(port.q.scale)
    return np.asarray(scaled, np.float32)
