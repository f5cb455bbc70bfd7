"""Stripes: what is made and held, the search for a plan that fits, and the proof of a program."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edgec.codegen.bands import member, stripes
from edgec.codegen.layout import Plan
from edgec.codegen.program import Call, Fetch, Move, Program
from edgec.codegen.registry import Io, as_kernel_op
from edgec.codegen.selection import rival_steps
from edgec.codegen.stripes import Stripes
from edgec.pipeline.errors import UnsupportedModelError, UsageError
from edgec.pipeline.graph import Graph, check
from edgec.pipeline.load import tflite
from edgec.pipeline.oracle import NumpyOracle
from edgec.pipeline.plan import plan_memory
from edgec.pipeline.replay import verify_plan
from edgec.pipeline.striping import Fitted, fit_memory
from tests.support.flatmodel import FlatModel
from tests.support.striped_chains import random_chains, striped, with_program

DSP = frozenset({"dsp"})


@pytest.mark.parametrize("seed", range(40))
def test_rows_are_made_once_in_order_and_held_until_the_last_reader(seed: int) -> None:
    _, graph = random_chains(seed, 1)
    found = [member(as_kernel_op(op), Io.of(graph, op)) for op in graph.ops]
    members = [each for each in found if each is not None]
    assert len(members) == len(found)
    high = members[-1].io.y.shape[1]
    for rows in {1, 2, 3, high}:
        made: dict[str, int] = {}
        for turn in stripes(members, rows):
            for each, new in zip(members, turn.made, strict=True):
                assert new.start == made.get(each.io.y.name, 0)
                made[each.io.y.name] = new.stop
                needed = each.needs(new)
                for name in each.sources:
                    held = turn.held[name]
                    assert not needed or held.start <= needed.start <= needed.stop <= held.stop
        assert made[members[-1].io.y.name] == high


def chain(*, tail: int = 3) -> Graph:
    """Three 3x3 convolutions of 16 channels over 24x24 pixels, a sum, then pooling."""
    model = FlatModel()
    x = model.input((1, 24, 24, 4), "int8", 0.1, 0)
    rng = np.random.default_rng(1)
    values = [x]
    for depth in (4, 16, 16)[:tail]:
        weights = model.tensor(
            (16, 3, 3, depth), "int8", 0.01, data=rng.integers(-127, 128, (16, 3, 3, depth))
        )
        y = model.tensor((1, 24, 24, 16), "int8", 0.2, 0)
        options = schema.Conv2DOptionsT()
        options.strideH = options.strideW = 1
        options.dilationHFactor = options.dilationWFactor = 1
        model.op("CONV_2D", [values[-1], weights], [y], options, version=3)
        values.append(y)
    total = model.tensor((1, 24, 24, 16), "int8", 0.3, 0)
    model.op("ADD", [values[1], values[-1]], [total], schema.AddOptionsT())
    pool = schema.Pool2DOptionsT()
    pool.padding, pool.strideH, pool.strideW, pool.filterHeight, pool.filterWidth = 1, 4, 4, 4, 4
    model.op("AVERAGE_POOL_2D", [total], [model.output((1, 6, 6, 16), "int8", 0.3, 0)], pool)
    return check(tflite.parse(model.bytes(), "m"))


def fit(graph: Graph, arena_bytes: int | None, *, input_rows: bool = False) -> tuple[Plan, Fitted]:
    ordered, plan = plan_memory(graph, DSP)
    rivals = rival_steps(ordered, DSP, "balanced")
    return plan, fit_memory(ordered, plan, rivals, DSP, arena_bytes, input_rows=input_rows)


@pytest.mark.parametrize("arena_bytes", [16_000, 12_000, 9_000])
def test_a_plan_that_fits_is_found_and_holds(arena_bytes: int) -> None:
    graph = chain()
    plan, fitted = fit(graph, arena_bytes)
    assert plan.arena_bytes > 18_000
    assert fitted.plan.arena_bytes <= arena_bytes
    assert fitted.striped
    check(fitted.graph)
    verify_plan(fitted.graph, fitted.plan)
    sample = [np.random.default_rng(2).integers(-128, 128, (1, 24, 24, 4)).astype(np.int8)]
    (want,), (got,) = (NumpyOracle(g).run(sample) for g in (graph, fitted.graph))
    assert np.array_equal(got, want)
    assert sum(as_kernel_op(op).macs(Io.of(fitted.graph, op)) for op in fitted.graph.ops) == sum(
        as_kernel_op(op).macs(Io.of(graph, op)) for op in graph.ops
    )


def test_less_memory_costs_more_instructions() -> None:
    costs = []
    for arena_bytes in (16_000, 12_000, 9_000):
        _, fitted = fit(chain(), arena_bytes)
        costs.append(sum(way.instructions for way in fitted.ways))
    assert costs == sorted(costs)


def test_the_smallest_plan_is_returned_where_none_fits() -> None:
    _, fitted = fit(chain(), 1000)
    _, least = fit(chain(), None)
    assert 1000 < fitted.plan.arena_bytes <= least.plan.arena_bytes
    verify_plan(fitted.graph, fitted.plan)


def test_a_kernel_with_less_scratch_is_taken_before_stripes() -> None:
    graph = chain(tail=1)
    ordered, plan = plan_memory(graph, DSP, "speed")
    rivals = rival_steps(ordered, DSP, "speed")
    scratch = [step.scratch_bytes or 0 for step in plan.steps]
    least = min(s.scratch_bytes or 0 for s in rivals[ordered.ops[0].outputs])
    assert least < scratch[0]
    fitted = fit_memory(ordered, plan, rivals, DSP, plan.arena_bytes - 8)
    assert fitted.plan.arena_bytes <= plan.arena_bytes - 8


def test_an_input_given_by_rows_takes_no_arena() -> None:
    _, whole = fit(chain(), None)
    _, fitted = fit(chain(), None, input_rows=True)
    assert fitted.plan.inputs_at == (None,)
    assert fitted.plan.arena_bytes < whole.plan.arena_bytes
    assert any(way.first == 0 for way in fitted.striped)
    verify_plan(fitted.graph, fitted.plan)


def test_an_input_that_is_read_whole_cannot_be_given_by_rows() -> None:
    model = FlatModel()
    x = model.input((1, 8), "int8", 0.1, 0)
    model.op("RELU", [x], [model.output((1, 8), "int8", 0.1, 0)])
    with pytest.raises(UsageError, match="cannot be given by rows"):
        fit(check(tflite.parse(model.bytes(), "m")), None, input_rows=True)


def test_no_file_has_the_op() -> None:
    class Node:
        index, builtin = 3, "STRIPES"

    with pytest.raises(UnsupportedModelError, match="op 3"):
        Stripes.parse(Node())  # type: ignore[arg-type]


def programs() -> list[tuple[Graph, Plan, int, Program]]:
    found = []
    for seed in range(12):
        graph, plan = striped(random_chains(seed, 1)[1], DSP, seed)
        for index, step in enumerate(plan.steps):
            if step.program is not None and len(step.program.turns) > 1:
                found.append((graph, plan, index, step.program))
    return found


def mutants(program: Program) -> list[Program]:
    """Return programs that each have one thing wrong."""
    found = []
    for t, turn in enumerate(program.turns):
        for a, action in enumerate(turn):
            for wrong in _wrong(action):
                new = (*turn[:a], *wrong, *turn[a + 1 :])
                found.append(
                    replace(program, turns=(*program.turns[:t], new, *program.turns[t + 1 :]))
                )
    return found


def _wrong(action: Call | Move | Fetch) -> list[tuple]:
    if isinstance(action, Fetch):
        return [(), (replace(action, target=action.target + 1),)]
    if isinstance(action, Move):
        return [
            (),
            (replace(action, source=action.source + 1),),
            (replace(action, target=action.target + 1),),
            (replace(action, size=action.size - 1),),
        ]
    spot = action.inputs[0]
    rows = range(action.rows.start + 1, action.rows.stop + 1)
    return [
        (),
        (replace(action, rows=rows),),
        (replace(action, inputs=(replace(spot, at=spot.at + 1), *action.inputs[1:])),),
        (replace(action, output=replace(action.output, at=action.output.at + 1)),),
    ]


def test_the_proof_finds_every_planted_bug() -> None:
    count = 0
    for graph, plan, index, program in programs():
        verify_plan(graph, plan)
        for mutant in mutants(program)[::3]:
            with pytest.raises(AssertionError):
                verify_plan(graph, with_program(plan, index, mutant))
            count += 1
    assert count > 100


def test_the_proof_finds_wrong_padding() -> None:
    count = 0
    for graph, plan, index, program in programs():
        for t, turn in enumerate(program.turns):
            for a, action in enumerate(turn):
                if not isinstance(action, Call) or "pad_top" not in action.step.params:
                    continue
                pad = action.step.params["pad_top"]
                assert isinstance(pad, int)
                step = replace(action.step, params={**action.step.params, "pad_top": pad + 1})
                new = (*turn[:a], replace(action, step=step), *turn[a + 1 :])
                mutant = replace(program, turns=(*program.turns[:t], new, *program.turns[t + 1 :]))
                with pytest.raises(AssertionError):
                    verify_plan(graph, with_program(plan, index, mutant))
                count += 1
    assert count > 10
