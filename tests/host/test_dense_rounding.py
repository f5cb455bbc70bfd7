"""int8 dense layers answer as LiteRT where its float64 and plain multipliers round a sum apart.

Random inputs hardly ever meet such sums, so here they are searched for, and layers made that have
them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import check
from edgec.pipeline.load import tflite
from edgec.pipeline.plan import plan_memory
from tests.support.dense_sums import dense, in_float64, inputs_of, telling_rows
from tests.support.evaluate import run_numpy
from tests.support.flatmodel import FlatModel
from tests.support.hostc import run_host
from tests.support.oracle import run_litert

FEATURES = [frozenset(), frozenset({"dsp"}), frozenset({"dsp", "mve"})]


def compare(model: FlatModel, sample: np.ndarray, folder: Path) -> None:
    content = model.bytes()
    graph = check(tflite.parse(content, "dense"))
    ((want,),) = run_litert(content, [[sample]])
    ((numpy,),) = run_numpy(graph, [[sample]])
    np.testing.assert_array_equal(numpy, want)
    for features in FEATURES:
        ((got,),) = run_host(graph, [[sample]], folder, "gcc", features, "speed")
        np.testing.assert_array_equal(got, want, str(sorted(features)))


@pytest.mark.parametrize("zero", [-128, 0, 5])
def test_sums_that_fixed_point_rounds_otherwise(zero: int, tmp_path: Path) -> None:
    y = np.float32(0.731)
    rows = telling_rows(8, 13.0, y, zero)
    biases = np.arange(len(rows)) * 37 - 100
    sums = np.concatenate(list(rows.values()))
    starts = np.repeat(biases, [len(s) for s in rows.values()])
    model = dense(list(rows), biases.tolist(), len(sums), (float(y), zero))
    graph = check(tflite.parse(model.bytes(), "dense"))
    for features, suffix in zip(FEATURES, ("", "_dsp", "_mve"), strict=True):
        (step,) = plan_memory(graph, features, "speed")[1].steps
        assert step.kernel == f"edgec_fully_connected_int8{suffix}", "exact, and fast"
    compare(model, inputs_of(sums, starts), tmp_path)


def test_sums_of_a_scale_that_all_rows_share(tmp_path: Path) -> None:
    y = np.float32(0.731)
    ((w, sums),) = telling_rows(1, 13.0, y, 0).items()
    near = np.unique(sums + np.arange(-1, 2)[:, None])
    model = dense([w], [0, 1, -1, 2], len(near), (float(y), 0))
    compare(model, inputs_of(near, np.zeros_like(near)), tmp_path)


def test_halves_are_rounded_away_from_zero(tmp_path: Path) -> None:
    sums = np.arange(-127, 127) * 1024 + 512
    assert np.all(np.abs(in_float64(sums, 2.0**-10)) * 1024 == np.abs(sums) + 512)
    model = dense([np.float32(2.0**-9)], [0, 0, 0], len(sums), (1.0, 0))
    compare(model, inputs_of(sums, np.zeros_like(sums)), tmp_path)


def test_rows_without_an_exact_multiplier_take_float64(tmp_path: Path) -> None:
    y = np.float32(0.731)
    for count in range(10, 200, 10):
        rows = telling_rows(count, 16.0, y, 0)
        sums = np.concatenate(list(rows.values()))
        model = dense(list(rows), [0] * count, len(sums), (float(y), 0))
        graph = check(tflite.parse(model.bytes(), "dense"))
        (step,) = plan_memory(graph, FEATURES[1], "speed")[1].steps
        if step.kernel == "edgec_fully_connected_int8_float64":
            break
    assert step.reason == "no multiplier rounds as float64"
    compare(model, inputs_of(sums, np.zeros_like(sums)), tmp_path)


def test_results_beyond_what_the_reference_can_convert_are_refused() -> None:
    model = dense([np.float32(100.0)], [0], 1, (1e-5, 0))
    with pytest.raises(UnsupportedModelError, match=r"below 2\*\*30"):
        check(tflite.parse(model.bytes(), "dense"))
