"""Depthwise, sum and pooling kernels of cores with SIMD: their C twins equal the interpreter."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from edgec.codegen.selection import Optimize, choose_steps
from edgec.pipeline.graph import Rounding, check
from edgec.pipeline.load import tflite
from edgec.pipeline.plan import plan_memory
from tests.support.dsp_layers import extreme_samples
from tests.support.evaluate import run_numpy
from tests.support.flatmodel import FlatModel
from tests.support.hostc import run_host
from tests.support.oracle import assert_all_close, run_litert
from tests.support.plane_layers import add_layers, depthwise_chain

EXAMPLES = int(os.environ.get("EDGEC_EXAMPLES", "3"))
DSP = frozenset({"dsp"})


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("optimize", ["size", "balanced", "speed"])
def test_twins_equal_the_interpreter(optimize: Optimize, compiler: str) -> None:
    @seed(31)
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def run(data: st.DataObject) -> None:
        model = FlatModel()
        add_layers(data.draw, model)
        content = model.bytes()
        graph = check(tflite.parse(content, "planes"))
        samples = extreme_samples(model)
        want = run_litert(content, samples)
        with tempfile.TemporaryDirectory() as folder:
            got = run_host(graph, samples, Path(folder), compiler, DSP, optimize)
        assert_all_close(got, want)

    run()


def models() -> list[FlatModel]:
    found: list[FlatModel] = []

    @seed(31)
    @settings(max_examples=5, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def draw(data: st.DataObject) -> None:
        model = FlatModel()
        add_layers(data.draw, model)
        found.append(model)

    draw()
    return found


def test_twins_equal_numpy_with_the_rounding_of_tflm(tmp_path: Path) -> None:
    model = models()[-1]
    graph = check(tflite.parse(model.bytes(), "planes", Rounding.TFLM))
    samples = extreme_samples(model)
    got = run_host(graph, samples, tmp_path, "gcc", DSP, "speed")
    assert_all_close(got, run_numpy(graph, samples))


def test_random_layers_reach_every_kernel() -> None:
    graphs = [check(tflite.parse(model.bytes(), "planes")) for model in models()]
    kernels = {s.kernel for graph in graphs for s in choose_steps(graph, DSP, "speed").values()}
    planes = {f"edgec_depthwise_conv_2d_int8_3x3{s}{a}" for s in ("", "_stride2")
              for a in ("", "_relu")}  # fmt: skip
    assert {*planes, "edgec_depthwise_conv_2d_int8_plane", "edgec_add_int8_dsp"} <= kernels


@pytest.mark.parametrize("features", [DSP, frozenset()])
def test_layers_that_replace_their_input_are_exact(
    features: frozenset[str], tmp_path: Path
) -> None:
    model = depthwise_chain()
    content = model.bytes()
    graph = check(tflite.parse(content, "chain"))
    ordered, plan = plan_memory(graph, features)
    spans = [
        tuple((plan.places[n].at, plan.places[n].at + ordered[n].size_bytes) for n in ends)
        for ends in ((op.inputs[0], op.outputs[0]) for op in ordered.ops)
    ]
    assert any(x[0] < y[1] and y[0] < x[1] for x, y in spans)
    samples = extreme_samples(model)
    got = run_host(graph, samples, tmp_path, "gcc", features)
    assert_all_close(got, run_litert(content, samples))
