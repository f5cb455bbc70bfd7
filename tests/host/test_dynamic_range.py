"""Dense layers of dynamic range: LiteRT = numpy = C under sanitizers, to the last bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import check
from edgec.pipeline.load import tflite
from edgec.pipeline.verify import DYNAMIC_TOLERANCE, tolerance_of
from tests.support.evaluate import run_numpy
from tests.support.flatmodel import FlatModel
from tests.support.hostc import run_host
from tests.support.oracle import assert_close, run_litert

SIZES = ((1, 1, 1), (1, 40, 10), (4, 33, 17), (3, 90, 1), (7, 5, 40))


def add_dense(
    rng: np.random.Generator, model: FlatModel, sizes: tuple[int, int, int], zero: int = 0
) -> None:
    """Add a layer whose inputs span a few powers of ten, on both sides of zero or on one."""
    rows, inside, outside = sizes
    low, high = rng.choice([(-1, 1), (-3, 100), (0, 5), (-0.02, -0.01), (0, 0)])
    x = model.input((rows, inside), "float32", low=low, high=high)
    scales = rng.uniform(1e-3, 0.1, outside if rng.integers(2) else 1).astype(np.float32)
    data = rng.integers(-127, 128, (outside, inside))
    w = model.tensor((outside, inside), "int8", scales, zero, data=data)
    b = model.tensor((outside,), "float32", data=rng.normal(size=outside))
    y = model.output((rows, outside), "float32")
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = int(rng.choice([0, 0, 1]))
    options.asymmetricQuantizeInputs = bool(rng.integers(3))
    model.op("FULLY_CONNECTED", [x, w, b if rng.integers(3) else -1], [y], options, version=9)


def test_layers_equal_the_interpreter(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    model = FlatModel()
    for _ in range(8):
        for sizes in SIZES:
            add_dense(rng, model, sizes)
    content = model.bytes()
    graph = check(tflite.parse(content, "dynamic"))
    samples = [model.draw_inputs(seed) for seed in range(3)]
    want = run_litert(content, samples)
    for got in (run_numpy(graph, samples), run_host(graph, samples, tmp_path)):
        for mine, theirs in zip(got, want, strict=True):
            for k, (a, b) in enumerate(zip(mine, theirs, strict=True)):
                assert_close(a, b, 0, f"output {k}")
    assert tolerance_of(graph).share == DYNAMIC_TOLERANCE


def test_weights_with_a_zero_point_are_refused() -> None:
    model = FlatModel()
    add_dense(np.random.default_rng(0), model, SIZES[1], zero=3)
    with pytest.raises(UnsupportedModelError, match="all but the weights are float32"):
        tflite.parse(model.bytes(), "dynamic")
