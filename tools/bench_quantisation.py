"""Compare quantisation-aware training with quantisation after training, on held-out samples.

Each of the small trained models of the tests is quantised by `ptq` and by `qat`, with the steps'
own defaults, for several seeds. Seeds choose the calibration samples and the order of training. The
scores are of the int8 model in the interpreter, on the test split.

usage: python tools/bench_quantisation.py [--model NAME ...] [--seeds 3] [--per-tensor]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from edgec.pipeline.compress.steps.ptq import PostTrainingQuantisation
from edgec.pipeline.compress.steps.qat import QuantisationAwareTraining
from edgec.pipeline.compress.technique import Technique

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tests.support.compress_work import interpreted, work_on  # noqa: E402
from tests.support.digits import MODELS, trained  # noqa: E402


@dataclass(frozen=True, slots=True)
class Comparison:
    """Accuracies on the test split: of the float model, and of each seed's int8 models."""

    model: str
    float_model: float
    ptq: tuple[float, ...]
    qat: tuple[float, ...]


def compare(model: str, seeds: int, per_tensor: bool = False) -> Comparison:
    """Quantise one of `tests.support.digits.MODELS` both ways, once a seed."""
    steps: tuple[Technique, ...] = (
        PostTrainingQuantisation(per_tensor=per_tensor),
        QuantisationAwareTraining(per_tensor=per_tensor),
    )
    ptq, qat = (tuple(_accuracy(model, step, seed) for seed in range(seeds)) for step in steps)
    return Comparison(model, trained(model).accuracy, ptq, qat)


def _accuracy(model: str, step: Technique, seed: int) -> float:
    import tf_keras

    files = trained(model)
    keras = tf_keras.models.load_model(files.keras, compile=False)
    with tempfile.TemporaryDirectory() as folder:
        work = work_on(keras, files.dataset(), Path(folder), seed)
        step.run(work)
        assert work.tflite is not None
        outputs = interpreted(work.tflite, work.data.test)
    return float(np.mean(outputs.argmax(axis=1) == work.data.test.targets))


def main() -> None:
    """Print the comparison as a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", action="append", choices=sorted(MODELS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--per-tensor", action="store_true")
    arguments = parser.parse_args()
    columns = ("model", "float", "ptq", "qat", "ptq, each seed", "qat, each seed")
    table = Table(*columns, title="accuracy on the test split, mean of the seeds")
    for name in arguments.model or sorted(MODELS):
        done = compare(name, arguments.seeds, arguments.per_tensor)
        means = (f"{np.mean(scores):.4f}" for scores in (done.ptq, done.qat))
        each = (" ".join(f"{score:.4f}" for score in scores) for scores in (done.ptq, done.qat))
        table.add_row(name, f"{done.float_model:.4f}", *means, *each)
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
