"""Kernels are chosen by cost, code included, and fall back where flash is short."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edgec.codegen.kernel_table import kernel_table
from edgec.codegen.selection import BALANCED_GROWTH, Optimize, Steps, choose_steps, rival_steps
from edgec.pipeline.graph import Graph, check
from edgec.pipeline.load import tflite
from tests.support.flatmodel import FlatModel

DSP = frozenset({"dsp"})


@pytest.fixture(scope="module")
def graph() -> Graph:
    """Three 3x3 convolutions with many channels, for which Winograd pays."""
    rng = np.random.default_rng(0)
    model = FlatModel()
    options = schema.Conv2DOptionsT()
    options.strideH = options.strideW = 1
    value = model.input((1, 8, 8, 32), "int8", 0.1, 0)
    for last in (False, False, True):
        weights = model.tensor((32, 3, 3, 32), "int8", [0.001] * 32,
                               data=rng.integers(-20, 20, (32, 3, 3, 32)))  # fmt: skip
        bias = model.tensor((32,), "int32", data=np.zeros(32))
        make = model.output if last else model.tensor
        out = make((1, 8, 8, 32), "int8", 0.1, 0)
        model.op("CONV_2D", [value, weights, bias], [out], options)
        value = out
    return check(tflite.parse(model.bytes(), "m"))


def instructions(steps: Steps) -> int:
    return sum(step.cost.instructions for step in steps.values())


def flash(steps: Steps, mode: str) -> int:
    """Flash of the chosen kernels: parameters, weights, and the code that they link."""
    table = kernel_table("", DSP, mode)
    sections: dict[str, int] = {}
    for step in steps.values():
        sections |= table.code(step.kernel)
    return sum(step.cost.flash_bytes for step in steps.values()) + sum(sections.values())


def kernels(steps: Steps) -> set[str]:
    return {step.kernel for step in steps.values()}


def test_modes_trade_flash_for_instructions(graph: Graph) -> None:
    chosen = {mode: choose_steps(graph, DSP, mode) for mode in ("size", "balanced", "speed")}
    assert flash(chosen["size"], "size") <= flash(chosen["balanced"], "balanced")
    assert flash(chosen["balanced"], "balanced") < flash(chosen["speed"], "speed")
    assert instructions(chosen["balanced"]) > instructions(chosen["speed"])
    for name in ("size", "balanced"):
        assert "edgec_conv_2d_int8_dsp_winograd" not in kernels(chosen[name])


def test_balanced_mode_spends_a_quarter_more_flash_at_most(graph: Graph) -> None:
    least = choose_steps(graph, DSP, "balanced", 100)
    most = BALANCED_GROWTH * flash(least, "balanced")
    assert flash(choose_steps(graph, DSP, "balanced"), "balanced") <= most


def test_a_budget_counts_the_code(graph: Graph) -> None:
    """Of two choices that differ by a kernel, the budget between them rules one out."""
    mode = "speed"
    fast, small = choose_steps(graph, DSP, mode), choose_steps(graph, DSP, mode, 100)
    assert flash(small, mode) < flash(fast, mode)
    taken = set()
    for share in (0.2, 0.5, 0.8):
        room = flash(small, mode) + int(share * (flash(fast, mode) - flash(small, mode)))
        budget = room + 200  # the generated function is counted, too
        got = choose_steps(graph, DSP, mode, budget)
        assert flash(got, mode) <= budget
        assert instructions(fast) <= instructions(got) <= instructions(small)
        taken.add(instructions(got))
    assert len(taken) == 3


def test_a_small_layer_shares_a_kernel_that_is_linked_anyway(graph: Graph) -> None:
    """What one kernel more would save in a layer does not pay for its code in size mode."""
    assert len(kernels(choose_steps(graph, DSP, "size"))) == 1


def test_costs_are_those_of_the_core(graph: Graph) -> None:
    """The portable kernel takes twice the instructions with those of 16 bits only."""
    wide = rival_steps(graph, frozenset(), "balanced", "cortex-m3")
    narrow = rival_steps(graph, frozenset({"thumb1"}), "balanced", "cortex-m0plus")
    for outputs, steps in wide.items():
        ratio = narrow[outputs][0].cost.instructions / steps[0].cost.instructions
        assert 1.5 < ratio < 3


def test_the_choice_has_a_reason(graph: Graph) -> None:
    for mode in ("size", "balanced", "speed"):
        for step in choose_steps(graph, DSP, mode).values():
            assert step.reason.endswith("of 4") or mode in step.reason
    fast = choose_steps(graph, DSP, "speed").values()
    assert {step.reason for step in fast} == {"fastest of 4"}


@pytest.mark.parametrize("features", [{"neon"}, {"neon", "dotprod"}, {"avx2"}, {"avx2", "vnni"}])
@pytest.mark.parametrize("optimize", ["size", "balanced", "speed"])
def test_cpus_with_vectors_take_their_kernels(
    graph: Graph, features: set[str], optimize: Optimize
) -> None:
    steps = choose_steps(graph, frozenset(features), optimize)
    assert {step.kernel for step in steps.values()} == {"edgec_conv_2d_int8_vector"}


@pytest.mark.parametrize("out_ch", [2, 8, 17])
def test_balanced_does_not_save_flash_where_there_is_none(out_ch: int) -> None:
    rng = np.random.default_rng(0)
    model = FlatModel()
    options = schema.Conv2DOptionsT()
    options.strideH = options.strideW = 1
    x = model.input((1, 12, 12, 5), "int8", 0.1, 0)
    weights = model.tensor((out_ch, 3, 3, 5), "int8", [0.001] * out_ch,
                           data=rng.integers(-20, 20, (out_ch, 3, 3, 5)))  # fmt: skip
    bias = model.tensor((out_ch,), "int32", data=np.zeros(out_ch))
    model.op(
        "CONV_2D", [x, weights, bias], [model.output((1, 12, 12, out_ch), "int8", 0.1)], options
    )
    steps = choose_steps(check(tflite.parse(model.bytes(), "m")), frozenset({"avx2"}), "balanced")
    assert [step.kernel for step in steps.values()] == ["edgec_conv_2d_int8_vector"]
