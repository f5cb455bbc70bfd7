"""Channels go through every op that works channel by channel, and answers stay."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edgec.codegen.ranges import value_ranges
from edgec.pipeline.graph import Graph, check
from edgec.pipeline.load import tflite
from edgec.pipeline.oracle import NumpyOracle
from edgec.pipeline.passes import Saving, run_passes
from edgec.pipeline.passes.merge_channels import equal_channels
from edgec.targets.profile import load_target
from tests.support.flatmodel import FlatModel
from tests.support.oracle import run_litert
from tests.support.random_graphs import RandomGraph, Value
from tests.support.random_layers import extreme_values

TARGET = load_target("cortex-m4")
SIDE = 4


class Sandwich:
    """A pointwise layer, something between, and a layer that reads it: small weights throughout.

    `dead` channels of the first layer are clamped to one value, the `twins` are equal.
    """

    def __init__(self, dead: tuple[int, ...] = (), twins: tuple[int, ...] = (), most: int = 30):
        self.rng = np.random.default_rng(5)
        self.most = most
        self.model = FlatModel()
        x = self.model.input((1, SIDE, SIDE, 3), "int8", 0.1, -7)
        self.wide = self.conv(Value(x, (1, SIDE, SIDE, 3), 0.1, -7), dead, twins)

    def conv(self, x: Value, dead: tuple[int, ...] = (), twins: tuple[int, ...] = ()) -> Value:
        data = self.rng.integers(-self.most, self.most + 1, (6, 1, 1, x.shape[3]))
        bias = self.rng.integers(-500, 500, 6)
        bias[list(dead)] = 10**7
        data[list(twins)], bias[list(twins)] = data[list(twins)[:1]], bias[list(twins)[:1]]
        w = self.model.tensor(data.shape, "int8", [0.01] * 6, data=data)
        b = self.model.tensor((6,), "int32", data=bias)
        options = schema.Conv2DOptionsT()
        options.strideH = options.strideW = options.padding = 1
        shape = (*x.shape[:3], 6)
        return self.put("CONV_2D", [x.index, w, b], Value(0, shape, 0.05, -20), options)

    def put(self, builtin: str, ins: list[int], like: Value, options: object = None) -> Value:
        y = self.model.tensor(like.shape, "int8", like.scale, like.zero)
        self.model.op(builtin, ins, [y], options, version=2)
        return Value(y, like.shape, like.scale, like.zero)

    def rewritten(self, last: Value) -> tuple[Graph, tuple[Saving, ...]]:
        """End with another pointwise layer; return the graph after all passes, proven by replay."""
        self.model.graph.outputs = [self.conv(last).index]
        content, samples = self.model.bytes(), extreme_values(self.model)
        source = check(tflite.parse(content, "m"))
        want = run_litert(content, samples)
        graph, savings = run_passes(source, TARGET)
        for sample, wanted in zip(samples, want, strict=True):
            assert np.array_equal(NumpyOracle(graph).run(sample)[0], wanted[0])
        return graph, savings


def pad(net: Sandwich, x: Value) -> Value:
    amounts = net.model.tensor((4, 2), "int32", data=[[0, 0], [1, 0], [0, 2], [0, 0]])
    # the value that the dead channels have: elsewhere they would not be constant
    fill = net.model.tensor((1,), "int8", x.scale, x.zero, data=[127])
    y = Value(0, (1, SIDE + 1, SIDE + 2, x.shape[3]), x.scale, x.zero)
    return net.put("PADV2", [x.index, amounts, fill], y, schema.PadV2OptionsT())


def join(net: Sandwich, x: Value) -> Value:
    options = schema.ConcatenationOptionsT()
    options.axis = 3
    y = Value(0, (*x.shape[:3], 2 * x.shape[3]), x.scale, x.zero)
    other = net.put("RELU6", [x.index], x)
    return net.put("CONCATENATION", [x.index, other.index], y, options)


def pool(net: Sandwich, x: Value) -> Value:
    options = schema.Pool2DOptionsT()
    options.padding, options.filterHeight, options.filterWidth = 0, 2, 3
    options.strideH = options.strideW = 1
    return net.put("AVERAGE_POOL_2D", [x.index], x, options)


def table(net: Sandwich, x: Value) -> Value:
    return net.put("LOGISTIC", [x.index], Value(0, x.shape, 1 / 256, -128))


def scale(net: Sandwich, x: Value) -> Value:
    channels = x.shape[3]
    data = np.array([10, 20, 30] * 4)[:channels]  # equal for the twins, which are 2 and 5
    factors = net.model.tensor((channels,), "int8", 0.02, 0, data=data)
    y = Value(0, x.shape, 0.04, 4)
    return net.put("MUL", [x.index, factors], y, schema.MulOptionsT())


def mean(net: Sandwich, x: Value) -> Value:
    axes = net.model.tensor((2,), "int32", data=[1, 2])
    options = schema.ReducerOptionsT()
    options.keepDims = True
    y = Value(0, (1, 1, 1, x.shape[3]), 0.06, 11)
    return net.put("MEAN", [x.index, axes], y, options)


BETWEEN = {"pad": pad, "join": join, "pool": pool, "table": table, "scale": scale, "mean": mean}


def channels_of(graph: Graph) -> int:
    """Return how many channels the first layer of a graph makes."""
    return graph[graph.ops[0].outputs[0]].shape[3]


@pytest.mark.parametrize("between", BETWEEN)
def test_constant_channels_go_through(between: str) -> None:
    net = Sandwich(dead=(1, 4))
    graph, savings = net.rewritten(BETWEEN[between](net, net.wide))
    assert channels_of(graph) == 4
    assert [s.name for s in savings if s.macs] == ["remove_channels"]


@pytest.mark.parametrize("between", BETWEEN)
def test_equal_channels_go_through(between: str) -> None:
    net = Sandwich(twins=(2, 5))
    graph, savings = net.rewritten(BETWEEN[between](net, net.wide))
    assert channels_of(graph) == 5
    assert [s.name for s in savings if s.macs] == ["merge_channels"]


def test_equal_channels_stay_where_the_sum_of_their_weights_is_no_int8() -> None:
    net = Sandwich(twins=(2, 5), most=127)
    graph, _ = net.rewritten(net.wide)
    assert channels_of(graph) == 6


def test_of_three_equal_channels_as_many_go_as_fit() -> None:
    kept = []
    for most in (40, 60, 127):
        net = Sandwich(twins=(0, 2, 5), most=most)
        kept.append(channels_of(net.rewritten(net.wide)[0]))
    assert kept == [4, 4, 5]


def test_the_last_constant_channel_of_a_layer_stays_and_no_other() -> None:
    net = Sandwich(dead=(0, 1, 2, 3, 4, 5))
    assert channels_of(net.rewritten(net.wide)[0]) == 1
    net = Sandwich(dead=(0, 1, 2, 3, 4))
    assert channels_of(net.rewritten(net.wide)[0]) == 1


@pytest.mark.parametrize("first", range(0, 300, 100))
def test_what_is_known_of_channels_holds_in_random_graphs(first: int) -> None:
    for number in range(first, first + 100):
        model = RandomGraph(number).model
        graph = check(tflite.parse(model.bytes(), "m"))
        ranges, firsts = value_ranges(graph), equal_channels(graph)
        for sample in extreme_values(model):
            for name, value in NumpyOracle(graph).tensors(sample).items():
                if name in ranges:
                    flat = value.reshape(-1, value.shape[-1])
                    assert (flat >= ranges[name].low).all(), name
                    assert (flat <= ranges[name].high).all(), name
                    assert (flat == flat[:, firsts[name]]).all(), name
