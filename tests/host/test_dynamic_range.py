"""Dense layers of dynamic range: LiteRT = numpy = C under sanitizers, to the last bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import check
from edgec.pipeline.load import tflite
from edgec.pipeline.verify import DYNAMIC_LAYERS, DYNAMIC_TOLERANCE, tolerance_of
from tests.support.evaluate import run_numpy
from tests.support.flatmodel import FlatModel
from tests.support.hostc import run_host
from tests.support.hybrid_layers import add_hybrid
from tests.support.oracle import assert_all_close, run_litert

SIZES = ((1, 1, 1), (1, 40, 10), (4, 33, 17), (3, 90, 1), (7, 5, 40))


def test_layers_equal_the_interpreter(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    model = FlatModel()
    for _ in range(8):
        for sizes in SIZES:
            add_hybrid(rng, model, sizes)
    content = model.bytes()
    graph = check(tflite.parse(content, "dynamic"))
    samples = [model.draw_inputs(seed) for seed in range(3)]
    want = run_litert(content, samples)
    for got in (run_numpy(graph, samples), run_host(graph, samples, tmp_path)):
        assert_all_close(got, want)
    assert tolerance_of(graph).share == DYNAMIC_TOLERANCE * 40 / DYNAMIC_LAYERS


def test_few_layers_are_held_to_the_least_tolerance() -> None:
    model = FlatModel()
    add_hybrid(np.random.default_rng(0), model, SIZES[1])
    graph = tflite.parse(model.bytes(), "dynamic")
    assert tolerance_of(graph).share == DYNAMIC_TOLERANCE


def test_weights_with_a_zero_point_are_refused() -> None:
    model = FlatModel()
    add_hybrid(np.random.default_rng(0), model, SIZES[1], zero=3)
    with pytest.raises(UnsupportedModelError, match="all but the weights are float32"):
        tflite.parse(model.bytes(), "dynamic")
