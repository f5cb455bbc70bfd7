"""Graph rewrites are exact: the rewritten graph answers as the one it came from."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given, settings
from hypothesis import strategies as st

from edgec.codegen.ranges import value_ranges
from edgec.pipeline.graph import Graph, check
from edgec.pipeline.load import tflite
from edgec.pipeline.oracle import NumpyOracle
from edgec.pipeline.passes import PASSES, run_passes
from edgec.targets.profile import load_target
from tests.support.evaluate import run_numpy
from tests.support.flatmodel import FlatModel
from tests.support.oracle import assert_close, run_litert

TARGET = load_target("cortex-m4")


def with_constants_and_dead_ends(seed: int) -> FlatModel:
    """Sums of inputs and constants, where some sums are constant and some are never read."""
    rng = np.random.default_rng(seed)
    model = FlatModel()
    shape = (1, int(rng.integers(1, 20)))
    values = [model.input(shape, "int8", 0.1, 3)]
    for _ in range(3):
        data = rng.integers(-128, 128, shape).astype(np.int8)
        values.append(model.tensor(shape, "int8", 0.07, -9, data=data))
    for _ in range(8):
        out = model.tensor(shape, "int8", float(np.float32(rng.uniform(0.05, 0.3))), 1)
        pair = [int(v) for v in rng.choice(values, 2)]
        model.op("ADD", pair, [out], schema.AddOptionsT())
        values.append(out)
    model.op("ADD", [values[0], values[-1]], [model.output(shape, "int8", 0.2, 0)],
             schema.AddOptionsT())  # fmt: skip
    return model


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31))
def test_replay_gives_the_interpreters_bytes_after_every_pass(seed: int) -> None:
    model = with_constants_and_dead_ends(seed)
    content = model.bytes()
    sample = model.draw_inputs(seed)
    want = run_litert(content, [sample])[0]
    graph = check(tflite.parse(content, "m"))
    for run in PASSES:
        graph = check(run(graph, TARGET))
        for got, wanted in zip(run_numpy(graph, [sample])[0], want, strict=True):
            assert_close(got, wanted, 0, run.__module__)


def ops(graph: Graph) -> list[str]:
    return [op.builtin for op in graph.ops]


@pytest.mark.parametrize("seed", range(4))
def test_nothing_constant_or_unread_is_left(seed: int) -> None:
    graph = check(tflite.parse(with_constants_and_dead_ends(seed).bytes(), "m"))
    for run in PASSES:
        graph = run(graph, TARGET)
    read = {name for op in graph.ops for name in op.inputs} | set(graph.outputs)
    assert all(set(op.outputs) & read for op in graph.ops)
    assert all(any(graph[n].data is None for n in op.inputs) for op in graph.ops)


def dying_network(seed: int) -> FlatModel:
    """Layers in which clamps and zero weights kill channels, with pads, pools, sums and a head."""
    rng = np.random.default_rng(seed)
    model = FlatModel()

    def layer(builtin: str, options: object, x: int, shape: tuple, out: tuple, axis: int) -> int:
        weights = rng.integers(-127, 128, shape).astype(np.int8)
        channels = shape[axis]
        dead = rng.random(channels) < 0.3
        weights[(slice(None),) * axis + (dead,)] = 0
        # a bias this far below zero clamps to the smallest value whatever the input is
        bias = np.where(rng.random(channels) < 0.3, -(10**7), rng.integers(-3000, 3000, channels))
        w = model.tensor(shape, "int8", list(rng.uniform(0.002, 0.02, channels)), axis=axis,
                         data=weights)  # fmt: skip
        b = model.tensor((channels,), "int32", data=bias)
        y = model.tensor(out, "int8", 0.05, int(rng.choice([-128, -20, 5])))
        model.op(builtin, [x, w, b], [y], options)
        return y

    conv = schema.Conv2DOptionsT()
    conv.strideH = conv.strideW = 1
    conv.padding = int(rng.integers(0, 2)) if seed % 2 else 0
    conv.fusedActivationFunction = int(rng.integers(0, 2))
    depthwise = schema.DepthwiseConv2DOptionsT()
    depthwise.strideH = depthwise.strideW = depthwise.depthMultiplier = 1
    depthwise.fusedActivationFunction = 1
    side, c1, c2 = 6, int(rng.integers(2, 7)), int(rng.integers(2, 7))
    x = model.input((1, side, side, 2), "int8", 0.1, -7)
    small = side - 2 if conv.padding else side
    a = layer("CONV_2D", conv, x, (c1, 3, 3, 2), (1, small, small, c1), 0)
    b = layer("DEPTHWISE_CONV_2D", depthwise, a, (1, 3, 3, c1), (1, small, small, c1), 3)
    point = schema.Conv2DOptionsT()
    point.strideH = point.strideW = point.fusedActivationFunction = 1
    c = layer("CONV_2D", point, b, (c2, 1, 1, c1), (1, small, small, c2), 0)
    d = layer("CONV_2D", point, b, (c2, 1, 1, c1), (1, small, small, c2), 0)
    total = model.tensor((1, small, small, c2), "int8", 0.09, -20)
    add = schema.AddOptionsT()
    add.fusedActivationFunction = 1
    model.op("ADD", [c, d], [total], add)
    pool = schema.Pool2DOptionsT()
    pool.padding = 1
    pool.strideH = pool.strideW = pool.filterHeight = pool.filterWidth = 2
    half = small // 2
    pooled = model.tensor((1, half, half, c2), "int8", 0.09, -20)
    model.op(str(rng.choice(["AVERAGE_POOL_2D", "MAX_POOL_2D"])), [total], [pooled], pool)
    flat = model.tensor((1, half * half * c2), "int8", 0.09, -20)
    reshape = schema.ReshapeOptionsT()
    reshape.newShape = [1, half * half * c2]
    model.op("RESHAPE", [pooled], [flat], reshape)
    w = model.tensor((3, half * half * c2), "int8", 0.01,
                     data=rng.integers(-127, 128, (3, half * half * c2)))  # fmt: skip
    bias = model.tensor((3,), "int32", data=rng.integers(-900, 900, 3))
    y = model.output((1, 3), "int8", 0.2, 3)
    model.op("FULLY_CONNECTED", [flat, w, bias], [y], schema.FullyConnectedOptionsT())
    return model


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**31))
def test_removing_channels_changes_no_answer(seed: int) -> None:
    model = dying_network(seed)
    content = model.bytes()
    samples = [model.draw_inputs(seed + i) for i in range(3)]
    for extreme in (-128, 127):
        samples.append([np.full_like(samples[0][0], extreme)])
    want = run_litert(content, samples)
    graph = check(tflite.parse(content, "m"))
    rewritten, _ = run_passes(graph, TARGET)
    for mine, theirs in zip(run_numpy(rewritten, samples), want, strict=True):
        assert_close(mine[0], theirs[0], 0, "rewritten")


def test_channels_are_really_removed_and_can_be_kept() -> None:
    saved = 0
    for seed in range(20):
        graph = check(tflite.parse(dying_network(seed).bytes(), "m"))
        _, savings = run_passes(graph, TARGET)
        saved += sum(s.macs for s in savings if s.name == "remove_channels")
        kept, savings = run_passes(graph, TARGET, shrink=False)
        assert not savings and ops(kept) == ops(graph)
    assert saved > 20_000


def test_ranges_hold_for_every_value_that_is_computed() -> None:
    for seed in range(30):
        model = dying_network(seed)
        graph = check(tflite.parse(model.bytes(), "m"))
        ranges = value_ranges(graph)
        values = NumpyOracle(graph).tensors(model.draw_inputs(seed))
        for name, value in values.items():
            flat = value.reshape(-1, value.shape[-1])
            assert (flat >= ranges[name].low).all() and (flat <= ranges[name].high).all(), name


def convertible_soup(seed: int) -> FlatModel:
    """What converters leave behind: pads before convolutions, lone clamps, round trips."""
    rng = np.random.default_rng(seed)
    model = FlatModel()
    side, channels = int(rng.integers(3, 7)), int(rng.integers(1, 5))
    scale, zero = 0.1, int(rng.integers(-128, 128))
    x = model.input((1, side, side, channels), "int8", scale, zero)
    pads = rng.integers(0, 3, 4).tolist()
    padded = (1, side + pads[0] + pads[1], side + pads[2] + pads[3], channels)
    amounts = model.tensor((4, 2), "int32", data=[[0, 0], pads[:2], pads[2:], [0, 0]])
    wide = model.tensor(padded, "int8", scale, zero)
    model.op("PAD", [x, amounts], [wide], schema.PadOptionsT())
    conv = schema.Conv2DOptionsT()
    conv.strideH = conv.strideW = 1
    conv.padding = int(rng.integers(0, 2))
    out = (1, *(n - 2 * conv.padding for n in padded[1:3]), 3)
    w = model.tensor((3, 3, 3, channels), "int8", [0.01, 0.02, 0.005],
                     data=rng.integers(-127, 128, (3, 3, 3, channels)))  # fmt: skip
    b = model.tensor((3,), "int32", data=rng.integers(-900, 900, 3))
    y = model.tensor(out, "int8", 0.05, -3)
    model.op("CONV_2D", [wide, w, b], [y], conv)
    clamp = str(rng.choice(["RELU", "RELU6", "RELU_N1_TO_1"]))
    # in half of the models the clamp rescales too, and has to stay
    after = (0.05, -3) if seed % 2 else (0.07, -20)
    clamped = model.tensor(out, "int8", *after)
    model.op(clamp, [y], [clamped])
    real = model.tensor(out, "float32")
    model.op("DEQUANTIZE", [clamped], [real])
    back = model.tensor(out, "int8", *after)
    model.op("QUANTIZE", [real], [back])
    model.op("ADD", [back, clamped], [model.output(out, "int8", 0.1, 0)], schema.AddOptionsT())
    return model


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 2**31))
def test_what_converters_leave_behind_goes_and_the_answer_stays(seed: int) -> None:
    model = convertible_soup(seed)
    content = model.bytes()
    samples = [model.draw_inputs(seed + i) for i in range(2)]
    want = run_litert(content, samples)
    graph = check(tflite.parse(content, "m"))
    rewritten, _ = run_passes(graph, TARGET)
    for mine, theirs in zip(run_numpy(rewritten, samples), want, strict=True):
        assert_close(mine[0], theirs[0], 0, "rewritten")
    left = ["CONV_2D", "ADD"] if seed % 2 else ["CONV_2D", None, "ADD"]
    found = ops(rewritten)
    assert len(found) == len(left) and found[0] == "CONV_2D" and found[-1] == "ADD"
