"""Hundreds of random small networks through the whole compiler: equal to the interpreter."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from edgec.codegen.selection import Optimize
from edgec.pipeline.graph import Rounding, check
from edgec.pipeline.load import tflite
from edgec.pipeline.passes import run_passes
from edgec.pipeline.plan import plan_memory
from edgec.pipeline.replay import verify_plan
from edgec.targets.profile import load_target
from tests.support.evaluate import run_numpy
from tests.support.graph_program import Case, check_graphs
from tests.support.oracle import run_litert
from tests.support.random_graphs import RandomGraph
from tests.support.random_layers import extreme_values

TIMES = int(os.environ.get("EDGEC_LAYERS", "1"))
GRAPHS = 120
WAYS: list[tuple[str, Optimize]] = [
    ("cortex-m0plus", "size"), ("cortex-m4", "balanced"), ("cortex-m4", "speed"),
    ("cortex-m55", "balanced"),
]  # fmt: skip


def compiled(seed: int, target_name: str, optimize: Optimize, rounding: Rounding) -> Case:
    """Return a random network after every stage before C, its passes replayed."""
    target = load_target(target_name)
    tflm = rounding is Rounding.TFLM
    model = RandomGraph(seed, tflm=tflm).model
    content = model.bytes()
    samples = extreme_values(model)
    source = check(tflite.parse(content, f"g{seed}", rounding))
    want = run_numpy(source, samples) if tflm else run_litert(content, samples)
    rewritten, _ = run_passes(source, target)
    where = f"graph {seed} for {target_name}, {optimize}"
    for answer, wanted in zip(run_numpy(rewritten, samples), want, strict=True):
        assert all(map(np.array_equal, answer, wanted)), f"{where}: other answers after the passes"
    graph, plan = plan_memory(rewritten, target.features, optimize)
    verify_plan(graph, plan)
    return Case(where, graph, plan, samples, want)


@pytest.mark.parametrize(("target_name", "optimize"), WAYS)
def test_random_graphs_answer_as_the_interpreter(
    target_name: str, optimize: Optimize, tmp_path: Path, record_property: pytest.FixtureRequest
) -> None:
    first = 10_000 * WAYS.index((target_name, optimize))
    seeds = range(first, first + TIMES * GRAPHS)
    cases = [compiled(seed, target_name, optimize, Rounding.TFLITE) for seed in seeds]
    check_graphs(cases, tmp_path)
    record_property("random graphs", len(cases))


def test_random_graphs_answer_with_the_rounding_of_tflm(
    tmp_path: Path, record_property: pytest.FixtureRequest
) -> None:
    seeds = range(50_000, 50_000 + TIMES * GRAPHS // 3)
    cases = [compiled(seed, "cortex-m4", "balanced", Rounding.TFLM) for seed in seeds]
    check_graphs(cases, tmp_path)
    record_property("random graphs", len(cases))
