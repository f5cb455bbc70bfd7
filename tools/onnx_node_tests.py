"""Runs the node tests that the onnx package carries against edgec's importer.

    python tools/onnx_node_tests.py [-v] [NAME_PART ...]

Each test is one operator with inputs and expected outputs. Inputs that are weights or parameters in
real models (kernels, axes, shapes …) become constants of the file; the rest stay inputs. Prints how
many pass, fail and are out of scope, with the reason of each, and exits with 1 if any fails.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import onnx

PASS, FAIL, OUT = "pass", "fail", "out of scope"
ALL_INPUTS = [
    "Add",
    "And",
    "Concat",
    "Div",
    "Equal",
    "Max",
    "Mean",
    "Min",
    "MatMul",
    "Mul",
    "Pow",
    "Sub",
    "Sum",
    "Where",
    "Greater",
    "Less",
]
NOT_FLOAT = "element type is not float32"
# Further outputs of these are for training or unpooling; the first is tested alone.
FIRST_OUTPUT_ONLY = ("LayerNormalization", "MaxPool")
# Refusals that are the importer's declared limits, as patterns of its reasons.
LIMITS = {
    r"operator not supported": "operator not in the importer's list",
    r"operators of domain": "operator of another domain",
    r"is (?!float32)[a-z0-9]+, wanted float32|of type \w+, wanted|cast of a computed value": (
        NOT_FLOAT
    ),
    r"computes with integers that are not constant": NOT_FLOAT,
    r"does not depend on the input": "the output is a constant",
    r"has no input": "the model has no input",
    r"without elements|is empty$": "an axis without elements",
    r"training mode": "training mode",
    r"input of 5 axes, wanted 3": "three-dimensional space",
    r"dilated pooling": "dilated pooling",
    r"peephole weights": "LSTM with peephole weights",
    r"slope varies along the batch": "PRelu with a slope for each sample",
    r"tf_crop_and_resize": "Resize with a region of interest",
    r"has no tensor shape": "sequence or optional type",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one test."""

    name: str
    verdict: str
    reason: str = ""


@dataclass(slots=True)
class Tally:
    """The outcomes of a run."""

    outcomes: list[Outcome] = field(default_factory=list)

    def of(self, verdict: str) -> list[Outcome]:
        """The outcomes with that verdict."""
        return [outcome for outcome in self.outcomes if outcome.verdict == verdict]

    def summary(self) -> str:
        """Counts by verdict, then the reasons of what is out of scope, most frequent first."""
        counts = ", ".join(f"{len(self.of(verdict))} {verdict}" for verdict in (PASS, FAIL, OUT))
        reasons = Counter(outcome.reason for outcome in self.of(OUT))
        lines = [f"  {count:5d}  {reason}" for reason, count in reasons.most_common()]
        failed = [f"  FAIL {outcome.name}: {outcome.reason}" for outcome in self.of(FAIL)]
        return "\n".join([f"onnx node tests: {counts}", *lines, *failed])


def cases(parts: Sequence[str] = ()) -> Iterator[Any]:
    """Yield the onnx package's node tests whose name contains one of `parts`, or all."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = load_model_tests(kind="node")
    for case in found:
        if not parts or any(part in case.name for part in parts):
            yield case


def run_case(case: Any, folder: Path, importable: frozenset[str]) -> Outcome:
    """Import one test's model and compare its outputs with the expected ones."""
    from edgec.pipeline.errors import UnsupportedModelError
    from edgec.pipeline.load.onnx import load

    operators = {node.op_type for node in case.model.graph.node}
    unknown = sorted(operators - importable)
    if unknown:
        return Outcome(case.name, OUT, LIMITS["operator not supported"])
    inputs, outputs = case.data_sets[0]
    if any(isinstance(item, onnx.TensorProto) for item in (*inputs, *outputs)):
        return Outcome(case.name, OUT, NOT_FLOAT)
    if not all(isinstance(item, (np.ndarray, np.generic)) for item in (*inputs, *outputs)):
        return Outcome(case.name, OUT, LIMITS["has no tensor shape"])
    if _older_meaning(case.model):
        return Outcome(case.name, OUT, "opset below 13")
    if any(array.size == 0 for array in (*inputs[:1], *outputs)):
        return Outcome(case.name, OUT, LIMITS["without elements|is empty$"])
    path = folder / "model.onnx"
    names = _write_model(case, inputs, path)
    try:
        model = load(path)
        values = dict(zip((item.name for item in case.model.graph.input), inputs, strict=False))
        results = _call(model, [values[name] for name in names])
    except UnsupportedModelError as error:
        reason = next((why for pat, why in LIMITS.items() if re.search(pat, error.message)), "")
        if reason:
            return Outcome(case.name, OUT, reason)
        return Outcome(case.name, FAIL, " ".join(error.message.split()))
    return _compare(case, model, results, outputs)


def _write_model(case: Any, inputs: Sequence[Any], path: Path) -> list[str]:
    """Write the test's model with parameters as constants; return the remaining inputs' names."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    for entry in model.opset_import:
        # The operators of a test are at their newest version, so a newer opset changes nothing.
        if entry.domain == "" and entry.version < 13:
            entry.version = 13
    base = case.name.removeprefix("test_").split("_expanded")[0]
    first = model.graph.node[0].op_type
    multiple = len(model.graph.node) > 1
    spread = (
        any(base.startswith(op.lower()) for op in ALL_INPUTS) if multiple else (first in ALL_INPUTS)
    )
    kept = []
    for index, (item, array) in enumerate(zip(list(model.graph.input), inputs, strict=False)):
        if index == 0 or spread:
            kept.append(item.name)
            continue
        model.graph.initializer.append(onnx.numpy_helper.from_array(array, item.name))
        model.graph.input.remove(item)
    if len(model.graph.node) == 1 and first in FIRST_OUTPUT_ONLY:
        del model.graph.node[0].output[1:], model.graph.output[1:]
    path.write_bytes(model.SerializeToString())
    return kept


def _older_meaning(model: Any) -> bool:
    """Whether an operator means something else in its test than in opset 13."""
    version = next((e.version for e in model.opset_import if e.domain == ""), 13)
    return version < 13 and any(
        onnx.defs.get_schema(node.op_type, 13).since_version > version
        for node in model.graph.node
        if node.domain == ""
    )


def _call(model: Any, arrays: Sequence[Any]) -> list[Any]:
    feed = [
        np.ascontiguousarray(array.transpose(port.to_keras))
        for array, port in zip(arrays, model.inputs, strict=True)
    ]
    results = model.keras(feed if len(feed) > 1 else feed[0])
    return list(results) if isinstance(results, (list, tuple)) else [results]


def _compare(case: Any, model: Any, results: Sequence[Any], outputs: Sequence[Any]) -> Outcome:
    wanted_outputs = outputs[: len(model.outputs)]
    for result, port, wanted in zip(results, model.outputs, wanted_outputs, strict=True):
        got = np.asarray(result).transpose(np.argsort(port.to_keras))
        if got.shape != wanted.shape:
            return Outcome(case.name, FAIL, f"shape {got.shape}, wanted {wanted.shape}")
        if not np.allclose(got, wanted, rtol=case.rtol, atol=1e-5, equal_nan=True):
            difference = float(np.max(np.abs(got - wanted)))
            return Outcome(case.name, FAIL, f"differs by up to {difference:.3g}")
    return Outcome(case.name, PASS)


def run(parts: Sequence[str] = ()) -> Tally:
    """Run the node tests whose name contains one of `parts`, or all of them."""
    from edgec.pipeline.load.onnx.folding import FOLDABLE
    from edgec.pipeline.load.onnx.registry import importers

    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    importable = frozenset((*importers(), *FOLDABLE, "Constant"))
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        for case in cases(parts):
            tally.outcomes.append(run_case(case, Path(folder), importable))
    return tally


def main(arguments: Sequence[str]) -> int:
    """Run the tests and print the summary; return the exit code."""
    verbose = "-v" in arguments
    tally = run([part for part in arguments if part != "-v"])
    if verbose:
        for outcome in tally.outcomes:
            print(f"{outcome.verdict:12s} {outcome.name} {outcome.reason}")
    print(tally.summary())
    return 1 if tally.of(FAIL) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
