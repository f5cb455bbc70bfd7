"""Weights of few values or many zeros: what they take, and when their kernels are chosen."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edgec.codegen.clustered_weights import codebook
from edgec.codegen.dsp_products import rows_of_pairs
from edgec.codegen.registry import Const, Step
from edgec.codegen.selection import choose_steps
from edgec.codegen.sparse_streams import portable_columns
from edgec.codegen.stored_weights import stored_weights
from edgec.pipeline.graph import check
from edgec.pipeline.load import tflite
from tests.support.flatmodel import FlatModel

DSP = frozenset({"dsp"})


def quantised(real: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return int8 rows and their scales, as the converter quantises along the output channels."""
    largest = np.abs(real).max(axis=1)
    scales = np.where(largest > 0, largest / 127, 1.0)
    return np.rint(real / scales[:, None]).astype(np.int8), scales


def clustered(shape: tuple[int, int], count: int, seed: int = 0) -> np.ndarray:
    """Return real weights of `count` different values; not every row has the greatest."""
    rng = np.random.default_rng(seed)
    reals = np.array(sorted(rng.normal(0, 1, count), key=abs))
    most = rng.integers(min(3, count), count + 1, shape[0])
    return np.array([rng.choice(reals[:n], shape[1]) for n in most])


@pytest.mark.parametrize("shape", [(32, 144), (64, 64), (64, 128), (128, 16 * 9)])
@pytest.mark.parametrize("seed", range(5))
def test_sixteen_centroids_take_six_tenths_of_the_weights(
    shape: tuple[int, int], seed: int
) -> None:
    rows, scales = quantised(clustered(shape, 16, seed))
    assert len(np.unique(rows)) > 16
    forms = stored_weights(rows, scales)
    assert min(form.flash_bytes for form in forms) <= 0.6 * rows.size


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 9, 15, 16])
def test_codes_and_factors_give_the_weights_back(count: int) -> None:
    rows, scales = quantised(clustered((40, 50), count, count))
    book = codebook(rows, scales, np.ones(rows.shape, bool))
    assert book is not None
    assert book.bits <= max(1, (count - 1).bit_length())
    values = book.centroids.astype(np.int64)[book.codes]
    if book.factors is not None:
        values = (values * book.factors[:, None] + (1 << 45)) >> 46
    assert np.array_equal(values, rows)


def test_seventeen_centroids_have_no_codebook() -> None:
    rows, scales = quantised(clustered((64, 100), 17))
    assert codebook(rows, scales, np.ones(rows.shape, bool)) is None


def test_zeros_may_be_left_out_of_the_codebook() -> None:
    real = clustered((64, 100), 16) * (np.random.default_rng(1).random((64, 100)) < 0.5)
    rows, scales = quantised(real)
    assert codebook(rows, scales, np.ones(rows.shape, bool)) is None
    assert codebook(rows, scales, rows != 0) is not None
    (least, *_) = stored_weights(rows, scales)
    assert least.flash_bytes < 0.5 * rows.size


def test_weights_of_any_value_have_no_smaller_form() -> None:
    rows = np.random.default_rng(0).integers(-127, 128, (32, 64)).astype(np.int8)
    assert stored_weights(rows, np.ones(32)) == ()


def test_gaps_too_wide_for_a_byte_get_columns_of_zeros() -> None:
    rows = np.zeros((1, 4, 2000), np.int8)
    rows[0, :, [0, 300, 1999]] = 5
    found = portable_columns(rows, rows.any(axis=1))
    places = np.cumsum(found["gaps"].astype(int)) - 1
    assert set(places) >= {0, 300, 1999}
    assert found["counts"].tolist() == [len(places)]
    columns = found["weights"].reshape(-1, 4)
    assert np.array_equal(columns.any(axis=1), np.isin(places, (0, 300, 1999)))


def layer(real: np.ndarray, pixels: int) -> dict[str, Step]:
    """Return the kernel chosen for a pointwise convolution, by mode."""
    model = FlatModel()
    rows, scales = quantised(real)
    out_ch, in_ch = rows.shape
    x = model.input((1, 1, pixels, in_ch), "int8", 0.1, 0)
    w = model.tensor((out_ch, 1, 1, in_ch), "int8", list(scales), data=rows)
    y = model.output((1, 1, pixels, out_ch), "int8", float(scales.max()) * 4, 0)
    options = schema.Conv2DOptionsT()
    options.strideH = options.strideW = 1
    bias = model.tensor((out_ch,), "int32", data=np.arange(out_ch))
    model.op("CONV_2D", [x, w, bias], [y], options, version=3)
    graph = check(tflite.parse(model.bytes(), "m"))
    modes = ("size", "balanced", "speed")
    return {mode: next(iter(choose_steps(graph, DSP, mode).values())) for mode in modes}


def test_clustered_weights_are_stored_as_codes_except_for_speed() -> None:
    chosen = layer(clustered((128, 128), 16), 40)
    assert chosen["size"].kernel == "edgec_conv_2d_int8_dsp_stored"
    assert chosen["balanced"].kernel == "edgec_conv_2d_int8_dsp_stored"
    assert chosen["speed"].kernel == "edgec_conv_2d_int8_dsp"


@pytest.mark.parametrize(("high", "wide", "kind"), [(4, 4, "squares"), (4, 1, "columns")])
def test_blocks_of_zeros_are_skipped_where_that_is_faster(high: int, wide: int, kind: str) -> None:
    rng = np.random.default_rng(3)
    grid = rng.permutation(128 // high * 128 // wide).reshape(128 // high, 128 // wide)
    for zeros, fast in ((0.1, False), (0.7, True)):
        kept = np.kron(grid >= zeros * grid.size, np.ones((high, wide)))
        chosen = layer(rng.normal(0, 1, (128, 128)) * kept, 40)["speed"]
        assert (chosen.kernel == f"edgec_conv_2d_int8_dsp_{kind}") == fast


def test_scattered_zeros_are_not_skipped_for_speed() -> None:
    rng = np.random.default_rng(3)
    real = rng.normal(0, 1, (128, 128)) * (rng.random((128, 128)) < 0.5)
    chosen = layer(real, 40)
    assert chosen["speed"].kernel == "edgec_conv_2d_int8_dsp"
    assert chosen["size"].kernel == "edgec_conv_2d_int8_dsp_stored"


def test_rows_come_back_out_of_packed_words() -> None:
    step = layer(np.random.default_rng(0).normal(0, 1, (12, 8)), 2)["speed"]
    weights = step.params["weights"]
    assert isinstance(weights, Const)
    rows = rows_of_pairs(weights.data, 4)
    assert rows.shape == (12, 8)
    assert np.abs(rows).max() == 127
