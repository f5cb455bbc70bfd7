"""Values that the reference interpreter refuses at run time: generated C stays defined on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edgec.pipeline.load import tflite
from tests.support.evaluate import run_numpy
from tests.support.flatmodel import FlatModel
from tests.support.hostc import run_host


@pytest.mark.parametrize("kind", ["int32", "int64"])
def test_gather_never_reads_outside_whatever_the_indices(kind: str, tmp_path: Path) -> None:
    model = FlatModel()
    options = schema.GatherOptionsT()
    options.axis = 1
    ends = [model.input((2, 5, 3), "int8"), model.input((6,), kind)]
    model.op("GATHER", ends, [model.output((2, 6, 3), "int8")], options)
    x = np.arange(30, dtype=np.int8).reshape(2, 5, 3)
    info = np.iinfo(kind)
    indices = np.array([info.min, -1, 0, 4, 5, info.max], kind)
    (got,) = run_host(tflite.parse(model.bytes(), "case"), [[x, indices]], tmp_path)[0]
    assert np.array_equal(got, x[:, [0, 0, 0, 4, 4, 4]])


def test_a_zero_divisor_saturates_by_the_sign_of_the_dividend(tmp_path: Path) -> None:
    model = FlatModel()
    ends = [model.input((4,), "int8", 0.5, 3), model.input((4,), "int8", 0.01, -7)]
    model.op("DIV", ends, [model.output((4,), "int8", 0.1, 5)], schema.DivOptionsT())
    graph = tflite.parse(model.bytes(), "case")
    sample = [np.array([-128, 2, 3, 127], np.int8), np.full(4, -7, np.int8)]
    (got,) = run_host(graph, [sample], tmp_path)[0]
    assert got.tolist() == [-128, -128, 127, 127]
    assert np.array_equal(got, run_numpy(graph, [sample])[0][0])


@pytest.mark.parametrize("builtin", ["ADD", "SUB", "MUL", "PRELU", "SQUARED_DIFFERENCE"])
def test_scales_that_leave_32_bits_are_no_undefined_behaviour(builtin: str, tmp_path: Path) -> None:
    model = FlatModel()
    ends = [model.input((64,), "int8", 1e3, 127), model.input((64,), "int8", 1e3, -128)]
    model.op(builtin, ends, [model.output((64,), "int8", 1e-4, 127)])
    sample = model.draw_inputs(1)
    graph = tflite.parse(model.bytes(), "case")
    (got,) = run_host(graph, [sample], tmp_path)[0]
    assert np.array_equal(got, run_numpy(graph, [sample])[0][0])
