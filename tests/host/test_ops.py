"""Every op, over random shapes, options and quantisation: LiteRT = numpy = C under sanitizers."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from edgec.pipeline.graph import check
from edgec.pipeline.load import tflite
from tests.support.cases import case_modules
from tests.support.evaluate import run_numpy
from tests.support.flatmodel import FlatModel
from tests.support.hostc import run_host
from tests.support.oracle import assert_all_close, assert_close, run_litert

EXAMPLES = int(os.environ.get("EDGEC_EXAMPLES", "3"))
BRANCHES = 6
NUMPY_TOLERANCE = 1e-5

CASES = [(name, dtype) for name, m in sorted(case_modules().items()) for dtype in m.DTYPES]


@pytest.mark.parametrize(("builtin", "dtype"), CASES)
def test_generated_c_equals_the_reference_interpreter(builtin: str, dtype: str) -> None:
    case = case_modules()[builtin]

    @seed(20_26)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def run(data: st.DataObject) -> None:
        model = FlatModel()
        for _ in range(BRANCHES):
            case.add(data.draw, model, dtype)
        content = model.bytes()
        graph = check(tflite.parse(content, "case"))
        first = data.draw(st.integers(0, 2**31))
        samples = [model.draw_inputs(first + i) for i in range(getattr(case, "RUNS", 1))]
        want = run_litert(content, samples, getattr(case, "RESOLVER", "BUILTIN_REF"))
        if getattr(case, "RUNS", 1) == 1:
            compare_numpy(run_numpy(graph, samples), want)
        with tempfile.TemporaryDirectory() as folder:
            got = run_host(graph, samples, Path(folder))
        assert_all_close(got, want, case.ULPS, "C, ")

    run()


def compare_numpy(got: list[list[np.ndarray]], want: list[list[np.ndarray]]) -> None:
    for k, (a, b) in enumerate(zip(got[0], want[0], strict=True)):
        if b.dtype == np.float32:
            np.testing.assert_allclose(a, b, NUMPY_TOLERANCE, 1e-6, err_msg=f"numpy, output {k}")
        else:
            assert_close(a, b, 0, f"numpy, output {k}")
