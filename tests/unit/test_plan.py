"""The memory planner, and the separate check of its plans."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given, settings
from hypothesis import strategies as st

from edgec.codegen.layout import Place, Region
from edgec.pipeline.graph import Graph, check
from edgec.pipeline.load import tflite
from edgec.pipeline.plan import plan_memory
from edgec.pipeline.replay import verify_plan
from tests.support.flatmodel import FlatModel


def random_graph(edges: list[tuple[int, int]], sides: list[int]) -> Graph:
    """A graph of sums: op i adds two earlier values; every loose end is an output."""
    model = FlatModel()
    side = sides[0]
    values = [model.input((1, side), "int8", 0.1, 0)]
    used = set()
    for a, b in edges:
        pair = [values[a % len(values)], values[b % len(values)]]
        used |= set(pair)
        out = model.tensor((1, side), "int8", 0.1, 0)
        model.op("ADD", pair, [out], schema.AddOptionsT())
        values.append(out)
    model.graph.outputs = [v for v in values[1:] if v not in used]
    return check(tflite.parse(model.bytes(), "m"))


GRAPHS = st.builds(
    random_graph,
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=14),
    st.lists(st.integers(2, 90), min_size=1, max_size=1),
)


@settings(max_examples=150, deadline=None)
@given(GRAPHS)
def test_plans_of_random_graphs_hold(graph: Graph) -> None:
    ordered, plan = plan_memory(graph)
    verify_plan(ordered, plan)
    assert plan.arena_bytes >= max(t.size_bytes for t in graph.tensors.values())
    assert sorted(op.outputs for op in ordered.ops) == sorted(op.outputs for op in graph.ops)
    check(ordered)


@settings(max_examples=60, deadline=None)
@given(GRAPHS, st.data())
def test_the_check_finds_overlaps_it_is_given(graph: Graph, data: st.DataObject) -> None:
    ordered, plan = plan_memory(graph)
    arena = [n for n, p in plan.places.items() if p.region is Region.ARENA]
    alive = [
        (a, b) for i, op in enumerate(ordered.ops) for a in op.inputs for b in op.outputs
        if a in arena and b in arena
    ]  # fmt: skip
    if not alive:
        return
    source, out = data.draw(st.sampled_from(alive))
    broken = {**plan.places, out: Place(Region.ARENA, plan.places[source].at + 1)}
    with pytest.raises(AssertionError):
        verify_plan(ordered, replace(plan, places=broken))


def test_the_order_with_the_least_peak_is_found() -> None:
    """Two wide branches that end narrow: one after the other beats side by side."""
    model = FlatModel()
    x = model.input((1, 8, 8, 2), "int8", 0.1, 0)
    wide, ends = [], []
    pool = schema.Pool2DOptionsT()
    pool.padding, pool.strideH, pool.strideW, pool.filterHeight, pool.filterWidth = 1, 8, 8, 8, 8
    for _ in range(3):
        wide.append(model.tensor((1, 8, 8, 2), "int8", 0.1, 0))
        model.op("ADD", [x, x], [wide[-1]], schema.AddOptionsT())
    for value in wide:
        ends.append(model.output((1, 1, 1, 2), "int8", 0.1, 0))
        model.op("AVERAGE_POOL_2D", [value], [ends[-1]], pool)
    graph = check(tflite.parse(model.bytes(), "m"))
    _, plan = plan_memory(graph)
    assert plan.arena_bytes == plan.bound_bytes == 128 + 128 + 16


def test_views_take_no_memory_and_copies_are_made_only_between_ends() -> None:
    model = FlatModel()
    x = model.input((2, 6), "int8", 0.1, 0)
    middle = model.tensor((12,), "int8", 0.1, 0)
    model.op("RESHAPE", [x], [middle])
    y = model.output((3, 4), "int8", 0.1, 0)
    model.op("RESHAPE", [middle], [y])
    _, plan = plan_memory(check(tflite.parse(model.bytes(), "m")))
    assert plan.arena_bytes == 32  # the caller's input and output
    assert plan.copies == {1}


def test_a_value_seen_through_several_views_is_one_memory() -> None:
    model = FlatModel()
    x = model.input((2, 6), "int8", 0.1, 0)
    total = model.tensor((2, 6), "int8", 0.1, 0)
    model.op("ADD", [x, x], [total], schema.AddOptionsT())
    model.op("RESHAPE", [total], [model.output((12,), "int8", 0.1, 0)])
    model.op("RESHAPE", [total], [view := model.tensor((3, 4), "int8", 0.1, 0)])
    model.op("ADD", [view, view], [model.output((3, 4), "int8", 0.1, 0)], schema.AddOptionsT())
    verify_plan(*plan_memory(check(tflite.parse(model.bytes(), "m"))))


def test_an_output_may_replace_a_value_that_is_read_by_two_names() -> None:
    model = FlatModel()
    x = model.input((2, 6), "int8", 0.1, 0)
    total, view = (model.tensor((2, 6), "int8", 0.1, 0) for _ in range(2))
    model.op("ADD", [x, x], [total], schema.AddOptionsT())
    model.op("RESHAPE", [total], [view])
    model.op("ADD", [total, view], [model.output((2, 6), "int8", 0.1, 0)], schema.AddOptionsT())
    graph, plan = plan_memory(check(tflite.parse(model.bytes(), "m")))
    verify_plan(graph, plan)
    assert plan.arena_bytes == 16
