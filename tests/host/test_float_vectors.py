"""Float32 kernels for vector units, and their portable twins, under sanitizers: near LiteRT."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from edgec.codegen.float_vectors import FEATURES, lanes, packed, panel_width
from edgec.pipeline.graph import check
from edgec.pipeline.load import tflite
from edgec.pipeline.plan import plan_memory
from tests.support.float_layers import float_layers
from tests.support.hostc import run_host
from tests.support.oracle import run_litert
from tests.support.rivals import kernels_in_turn

TOLERANCE = 2e-6
"""Of the largest value: sums of up to 600 products in another order."""
CASES = (
    ("neon", "gcc"),
    ("avx2", "gcc -march=x86-64-v3"),
    ("avx512", "gcc -march=x86-64-v4"),
)
"""Whose kernels, and for which machine they are compiled: their twins where that is another."""


def require(compiler: str) -> None:
    """Skip where this machine lacks the instructions."""
    flags = Path("/proc/cpuinfo").read_text().split()
    for level, flag in (("v3", "avx2"), ("v4", "avx512bw")):
        if level in compiler and flag not in flags:
            pytest.skip(f"{compiler} needs a CPU with {flag}")


@pytest.mark.parametrize(("feature", "compiler"), CASES)
def test_vector_kernels_are_near_the_interpreter(
    feature: str, compiler: str, tmp_path: Path
) -> None:
    require(compiler)
    features = frozenset({feature})
    model = float_layers(7)
    content = model.bytes()
    graph = check(tflite.parse(content, "vectors"))
    steps = kernels_in_turn(graph, features, "speed")
    kinds = Counter("_vector" in step.kernel for step in steps.values())
    assert kinds == {True: len(graph.ops)}
    samples = [model.draw_inputs(seed) for seed in (1, 2)]
    planned = plan_memory(graph, features, "speed", steps=steps)
    got = run_host(graph, samples, tmp_path, compiler, features, "speed", planned)
    for mine, theirs in zip(got, run_litert(content, samples), strict=True):
        for op, a, b in zip(graph.ops, mine, theirs, strict=True):
            np.testing.assert_allclose(
                a, b, rtol=0, atol=TOLERANCE * np.abs(b).max(), err_msg=op.title
            )


@pytest.mark.parametrize("feature", sorted(FEATURES))
def test_panels_hold_columns_side_by_side(feature: str) -> None:
    width = 2 * lanes(frozenset({feature}))
    columns = np.arange(3 * (width + 1), dtype=np.float32).reshape(3, width + 1)
    panels = packed(columns, width)
    assert panels.shape == (2, 3, width)
    np.testing.assert_array_equal(panels[0], columns[:, :width])
    np.testing.assert_array_equal(panels[1, :, 0], columns[:, width])
    assert not panels[1, :, 1:].any()


@pytest.mark.parametrize(
    ("feature", "columns", "width"),
    [("avx512", 2, 8), ("avx512", 9, 16), ("avx512", 48, 16), ("avx512", 64, 32),
     ("avx512", 70, 16), ("avx2", 8, 8), ("avx2", 10, 16), ("avx2", 24, 8), ("neon", 3, 8)],
)  # fmt: skip
def test_panels_are_as_wide_as_leaves_few_lanes_empty(
    feature: str, columns: int, width: int
) -> None:
    assert panel_width(frozenset({feature}), columns) == width
