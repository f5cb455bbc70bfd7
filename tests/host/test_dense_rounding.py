"""int8 dense layers answer as LiteRT where its float64 and plain multipliers round a sum apart.

Random inputs hardly ever meet such sums, so here they are searched for, and layers made that have
them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edgec.codegen.quantmath import quantize_multiplier, requantize_single
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import check
from edgec.pipeline.load import tflite
from edgec.pipeline.plan import plan_memory
from tests.support.evaluate import run_numpy
from tests.support.flatmodel import FlatModel
from tests.support.hostc import run_host
from tests.support.oracle import run_litert

FEATURES = [frozenset(), frozenset({"dsp"}), frozenset({"dsp", "mve"})]
X = 0.5
WIDTH = 500
"""Inputs of a row: all but the last have the weight 127, that one 1."""


def in_float64(sums: np.ndarray, scale: float) -> np.ndarray:
    real = sums * scale
    whole = np.floor(np.abs(real))
    return np.sign(real) * (whole + (np.abs(real) - whole >= 0.5))


def telling_sums(w: np.float32, y: np.float32, zero: int) -> np.ndarray:
    """Return sums that the multiplier next to the scale rounds otherwise, within the int8 range."""
    scale = X * float(w) / float(y)
    near = np.round((np.arange(-128 - zero, 127 - zero) + 0.5) / scale).astype(np.int64)
    sums = (near + np.arange(-1, 2)[:, None]).reshape(-1)
    apart = requantize_single(sums, *quantize_multiplier(scale)) != in_float64(sums, scale)
    return np.asarray(sums[apart & (np.abs(sums) < 127 * 120 * (WIDTH - 1))])


def telling_rows(count: int, bits: float, y: np.float32, zero: int) -> dict[np.float32, np.ndarray]:
    """Return that many scales of weights with such sums; the scales of sums are about 2**-bits."""
    rng = np.random.default_rng(int(100 * bits))
    found: dict[np.float32, np.ndarray] = {}
    while len(found) < count:
        w = np.float32(float(y) / X * 2.0 ** -rng.uniform(bits - 1, bits))
        sums = telling_sums(w, y, zero)
        if len(sums):
            found[w] = sums
    return found


def inputs_of(sums: np.ndarray, biases: np.ndarray) -> np.ndarray:
    """Return a row of inputs for every sum, beside its row's bias."""
    big, small = np.divmod(sums - biases + 63, 127)
    rows = np.zeros((len(sums), WIDTH), np.int64)
    count = WIDTH - 1
    rows[:, :count] = (big[:, None] + np.arange(count)) // count
    rows[:, count] = small - 63
    return rows.astype(np.int8)


def dense(
    scales: list[np.float32], biases: list[int], batch: int, y: tuple[float, int]
) -> FlatModel:
    model, rows = FlatModel(), len(biases)
    weights = np.full((rows, WIDTH), 127, np.int8)
    weights[:, -1] = 1
    ends = [
        model.input((batch, WIDTH), "int8", X),
        model.tensor(weights.shape, "int8", scales, data=weights),
        model.tensor((rows,), "int32", [X * float(s) for s in scales], data=np.array(biases)),
    ]
    out = model.output((batch, rows), "int8", *y)
    model.op("FULLY_CONNECTED", ends, [out], schema.FullyConnectedOptionsT(), version=4)
    return model


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
