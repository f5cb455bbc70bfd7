"""int8 SUM, whose kernel in the pinned LiteRT is wrong, against the uint8 kernel of the same.

A uint8 tensor whose values and zero point are 128 larger means the same numbers.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Rounding, check
from edgec.pipeline.load import tflite
from tests.support.evaluate import run_numpy
from tests.support.flatmodel import FlatModel
from tests.support.hostc import run_host
from tests.support.oracle import run_litert

CASES = (
    ((2, 3, 4), (1,), True, (0.1, 3), (0.2, -7)),
    ((2, 3, 4), (0, -1), False, (0.3, -128), (0.07, 127)),
    ((5, 40), (1, 1), False, (0.004, 127), (0.11, 0)),
    ((1, 7, 7, 9), (1, 2), True, (0.02, -11), (0.5, -128)),
    ((3, 2, 3, 2, 3), (0, 2, 4), False, (0.05, 0), (0.05, 0)),
)


def _model(dtype: str, case: tuple) -> FlatModel:
    shape, axes, keep, (x_scale, x_zero), (y_scale, y_zero) = case
    shift = 128 if dtype == "uint8" else 0
    reduced = {a % len(shape) for a in axes}
    out = [1 if a in reduced else n for a, n in enumerate(shape) if keep or a not in reduced]
    model = FlatModel()
    x = model.input(shape, dtype, x_scale, x_zero + shift)
    axis = model.tensor((len(axes),), "int32", data=axes)
    y = model.output(out, dtype, y_scale, y_zero + shift)
    options = schema.ReducerOptionsT()
    options.keepDims = keep
    model.op("SUM", [x, axis], [y], options, version=2)
    return model


@pytest.mark.parametrize("case", CASES)
def test_int8_sum_equals_the_uint8_kernel_on_shifted_values(case: tuple) -> None:
    int8 = _model("int8", case)
    samples = [int8.draw_inputs(seed) for seed in range(4)]
    twins = [[x.view(np.uint8) ^ np.uint8(128) for x in sample] for sample in samples]
    want = [
        [(y ^ np.uint8(128)).view(np.int8) for y in outs]
        for outs in run_litert(_model("uint8", case).bytes(), twins)
    ]
    graph = check(tflite.parse(int8.bytes(), "case", Rounding.TFLM))
    with tempfile.TemporaryDirectory() as folder:
        got = run_host(graph, samples, Path(folder))
    np.testing.assert_array_equal(run_numpy(graph, samples), want)
    np.testing.assert_array_equal(got, want)


def test_int8_sum_is_refused_where_the_oracle_is_wrong() -> None:
    with pytest.raises(UnsupportedModelError, match="tflm"):
        tflite.parse(_model("int8", CASES[0]).bytes(), "case")
