"""What TVM is given: which ops are fused, that they still compute the same, names for LLVM."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgec.codegen.registry import Io, Step
from edgec.pipeline.backends.base import abstention
from edgec.pipeline.graph import Graph, Rounding
from edgec.pipeline.load import tflite
from edgec.pipeline.options import BuildOptions
from edgec.pipeline.oracle import NumpyOracle, random_sample
from edgec.pipeline.passes import run_passes
from edgec.pipeline.plan import plan_memory
from edgec.pipeline.replay import verify_plan
from edgec.pipeline.subject import Subject
from edgec.pipeline.tvm.fusion import Fused, fuse
from edgec.pipeline.tvm.lowering import Kernel, Layers, read_layers
from edgec.targets.llvm import llvm_target
from edgec.targets.profile import load_target, target_names
from tests.support.flatmodel import FlatModel
from tests.support.formula_layers import formula_layers
from tests.support.models import small_cnn
from tests.support.random_graphs import RandomGraph


def read(content: bytes) -> Graph:
    graph, _ = run_passes(tflite.parse(content, "m", Rounding.TFLITE), load_target("cortex-m4"))
    return graph


def residual() -> bytes:
    """A convolution whose output is added to its input."""
    from ai_edge_litert import schema_py_generated as schema

    rng = np.random.default_rng(2)
    model = FlatModel()
    x = model.input((1, 6, 5, 4), "float32")
    made = []
    for source in (x, None):
        conv = schema.Conv2DOptionsT()
        conv.strideH = conv.strideW = 1
        weights = model.tensor((4, 3, 3, 4), "float32", data=rng.normal(size=(4, 3, 3, 4)))
        bias = model.tensor((4,), "float32", data=rng.normal(size=4))
        made.append(model.tensor((1, 6, 5, 4), "float32"))
        first = made[0] if source is None else source
        model.op("CONV_2D", [first, weights, bias], [made[-1]], conv)
    model.op("ADD", [x, made[1]], [model.output((1, 6, 5, 4), "float32")], schema.AddOptionsT())
    return model.bytes()


def test_a_sum_joins_the_product_before_it() -> None:
    graph = fuse(read(residual()))
    assert [op.title for op in graph.ops] == ["CONV_2D", "CONV_2D + ADD"]
    last = graph.ops[1]
    assert isinstance(last, Fused)
    assert [last.inputs[i] for i in last.in_place] == [graph.inputs[0]]


def test_a_value_that_is_read_twice_is_not_fused_away() -> None:
    graph = read(residual())
    seen = graph.ops[1].outputs
    graph = fuse(replace(graph, outputs=(*graph.outputs, *seen)))
    assert [op.title for op in graph.ops] == ["CONV_2D", "CONV_2D", "ADD"]


@pytest.mark.parametrize("content", [small_cnn(), residual(), formula_layers().bytes()])
def test_fused_ops_compute_what_their_members_do(content: bytes) -> None:
    graph = read(content)
    fused = fuse(graph)
    assert any(isinstance(op, Fused) for op in fused.ops)
    sample = random_sample(graph, 3)
    for got, want in zip(NumpyOracle(fused).run(sample), NumpyOracle(graph).run(sample),
                         strict=True):  # fmt: skip
        assert np.array_equal(got, want)


def test_every_op_with_a_formula_is_fused() -> None:
    graph = fuse(read(formula_layers().bytes()))
    assert all(isinstance(op, Fused) for op in graph.ops)
    assert len(graph.ops) == 13


def test_memory_that_outputs_share_with_inputs_is_proven() -> None:
    shared = 0
    for content in (residual(), *(RandomGraph(seed).model.bytes() for seed in range(30))):
        graph = fuse(read(content))
        arenas = []
        for overlap in (False, True):
            steps = {}
            for op in graph.ops:
                if isinstance(op, Fused):
                    step = Step("k", inputs=tuple(range(len(op.inputs))), header="k")
                    if overlap:
                        step = replace(step, accesses=op.accesses, in_place=op.in_place)
                else:
                    step = op.lower(Io.of(graph, op))
                steps[op.outputs] = step
            ordered, plan = plan_memory(graph, steps=steps)
            verify_plan(ordered, plan)
            arenas.append(plan.arena_bytes)
        assert arenas[1] <= arenas[0]
        shared += arenas[1] < arenas[0]
    assert shared > 5


def test_layers_survive_a_bundle() -> None:
    layers = Layers("x86", (Kernel("a", 16, None), Kernel("b", 0, 1.5e-6)), {"tvm": "1"}, "text")
    assert read_layers(layers.json(), "text") == layers
    assert layers.untuned == 1


def test_microcontrollers_have_tvm_only_by_name() -> None:
    subjects = [
        Subject(Path("m"), Path("m"), "m", load_target(name), BuildOptions(), print)
        for name in ("cortex-m4", "rpi4")
    ]
    assert "asked for by name" in abstention("tvm", subjects[0])
    installed = importlib.util.find_spec("tvm") is not None
    assert abstention("tvm", subjects[1]) == (
        "" if installed else "TVM is not installed: pip install 'edgec[tvm]'"
    )


def test_llvm_has_a_name_for_every_cpu_of_a_profile() -> None:
    named = {name: llvm_target(load_target(name)) for name in target_names()}
    m4, m0, pi, armv7 = (named[n] for n in ("cortex-m4", "cortex-m0plus", "rpi4", "rpi-armv7"))
    assert m4 is not None and m0 is not None and pi is not None and armv7 is not None
    assert (m4.triple, m4.cpu, m4.float_abi) == ("thumbv7em-none-eabihf", "cortex-m4", "hard")
    assert (m0.triple, m0.float_abi, m0.lanes) == ("thumbv6m-none-eabi", "soft", 1)
    assert (pi.triple, pi.cpu, pi.lanes) == ("aarch64-linux-gnu", "cortex-a72", 4)
    assert (armv7.triple, armv7.float_abi) == ("armv7a-linux-gnueabihf", "hard")
    vnni = named["x86-64-v4-vnni"]
    assert vnni is not None
    assert (vnni.cpu, vnni.attributes, vnni.lanes) == ("x86-64-v4", ("+avx512vnni",), 16)
    assert all(named[n] for n in named if "tvm" in load_target(n).backends)
