"""Random runs of layers that stripes can go through, with a plan that makes them so."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgec.codegen.bands import BandKernels
from edgec.codegen.layout import Plan
from edgec.codegen.registry import as_kernel_op
from edgec.codegen.selection import rival_steps
from edgec.codegen.stripes import Stripes, lowered
from edgec.pipeline.graph import Graph, check
from edgec.pipeline.load import tflite
from edgec.pipeline.plan import plan_memory
from tests.support.flatmodel import FlatModel

Value = tuple[int, tuple[int, ...]]


class ChainMaker:
    """Adds random chains of layers to a model; the same generator state gives the same chain."""

    def __init__(self, model: FlatModel, rng: np.random.Generator) -> None:
        self.model = model
        self.rng = rng

    def pick(self, *options: int) -> int:
        return int(self.rng.choice(options))

    def tensor(self, shape: tuple[int, ...], scale: float, zero: int) -> int:
        return self.model.tensor(shape, "int8", scale, zero)

    def chain(self, layers: int) -> None:
        """Add an input, layers one after the other, some with a residual, and an output."""
        shape = (1, self.pick(5, 8, 11, 16), self.pick(1, 2, 5, 8), self.pick(1, 3, 4, 8))
        x: Value = (self.model.input(shape, "int8", 0.05, self.pick(-128, 0, 5)), shape)
        earlier: list[Value] = [x]
        for _ in range(layers):
            kind = self.pick(0, 0, 0, 1, 1, 2, 3, 4)
            same = [v for v in earlier if v[1] == earlier[-1][1]]
            if kind == 4 and len(same) > 1:
                earlier.append(self.add(same[self.pick(*range(len(same) - 1))], earlier[-1]))
            elif kind == 3:
                earlier.append(self.relu(earlier[-1]))
            elif kind == 2:
                earlier.append(self.pool(earlier[-1]))
            else:
                earlier.append(self.conv(earlier[-1], depthwise=kind == 1))
        self.model.graph.outputs.append(earlier[-1][0])

    def quant(self, value: Value) -> tuple[float, int]:
        q = self.model.graph.tensors[value[0]].quantization
        return float(q.scale[0]), int(q.zeroPoint[0])

    def window(self, value: Value) -> tuple[tuple[int, int], ...] | None:
        """Return kernel, stride, dilation, output size; padding is the last's first number."""
        high, wide = value[1][1:3]
        kernel = (self.pick(1, 2, 3, 3, 4), self.pick(1, 2, 3))
        stride = (self.pick(1, 1, 2, 3), self.pick(1, 1, 2))
        if self.rng.random() < 0.5:
            kernel, stride = (3, 3), (stride[0], stride[0])
        dilation = (self.pick(1, 1, 2), 1) if stride == (1, 1) else (1, 1)
        padding = self.pick(0, 0, 1)
        out = [
            -(-n // s) if padding == 0 else math.ceil((n - (k - 1) * d) / s)
            for n, k, s, d in zip((high, wide), kernel, stride, dilation, strict=True)
        ]
        return None if min(out) < 1 else (kernel, stride, dilation, (out[0], out[1]), (padding, 0))

    def conv(self, value: Value, *, depthwise: bool) -> Value:
        found = self.window(value)
        if found is None:
            return self.relu(value)
        kernel, stride, dilation, out, padding = found
        in_ch = value[1][3]
        out_ch = in_ch * self.pick(1, 1, 2) if depthwise else self.pick(1, 3, 4, 8, 9)
        shape = (1, *kernel, out_ch) if depthwise else (out_ch, *kernel, in_ch)
        data = self.rng.integers(-127, 128, shape)
        scales = self.rng.uniform(0.002, 0.01, out_ch)
        axis = 3 if depthwise else 0
        weights = self.model.tensor(shape, "int8", scales, data=data, axis=axis)
        x_scale = self.quant(value)[0]
        bias = self.model.tensor(
            (out_ch,), "int32", x_scale * scales, data=self.rng.integers(-900, 900, out_ch)
        )
        products = math.prod(kernel) * (1 if depthwise else in_ch)
        y_shape = (1, *out, out_ch)
        y_scale = float(x_scale * 0.01 * 70 * math.sqrt(products) / 4)
        y = self.tensor(y_shape, y_scale, self.pick(-128, -128, 0, 3))
        options = schema.DepthwiseConv2DOptionsT() if depthwise else schema.Conv2DOptionsT()
        options.padding = padding[0]
        options.strideH, options.strideW = stride
        options.dilationHFactor, options.dilationWFactor = dilation
        options.fusedActivationFunction = self.pick(0, 1, 1)
        if depthwise:
            options.depthMultiplier = out_ch // in_ch
        name = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
        self.model.op(name, [value[0], weights, bias], [y], options, version=3)
        return y, y_shape

    def pool(self, value: Value) -> Value:
        found = self.window(value)
        if found is None:
            return self.relu(value)
        kernel, stride, dilation, out, padding = found
        if dilation != (1, 1):
            return self.relu(value)
        y_shape = (1, *out, value[1][3])
        y = self.tensor(y_shape, *self.quant(value))
        options = schema.Pool2DOptionsT()
        options.padding = padding[0]
        options.strideH, options.strideW = stride
        options.filterHeight, options.filterWidth = kernel
        name = ("MAX_POOL_2D", "AVERAGE_POOL_2D")[self.pick(0, 1)]
        self.model.op(name, [value[0]], [y], options)
        return y, y_shape

    def relu(self, value: Value) -> Value:
        y = self.tensor(value[1], self.quant(value)[0] * 0.8, self.pick(-128, 0))
        self.model.op("RELU", [value[0]], [y])
        return y, value[1]

    def add(self, first: Value, second: Value) -> Value:
        scale = max(self.quant(first)[0], self.quant(second)[0])
        y = self.tensor(first[1], scale * 1.5, self.pick(-20, 0, 7))
        pair = [first[0], second[0]]
        if self.rng.random() < 0.5:
            pair.reverse()
        self.model.op("ADD", pair, [y], schema.AddOptionsT())
        return y, first[1]


def random_chains(seed: int, count: int) -> tuple[FlatModel, Graph]:
    """Return a model of `count` chains side by side."""
    model, rng = FlatModel(), np.random.default_rng(seed)
    for _ in range(count):
        ChainMaker(model, rng).chain(int(rng.integers(1, 7)))
    return model, check(tflite.parse(model.bytes(), "chains"))


def striped(
    graph: Graph, features: frozenset[str], seed: int, *, fetched: bool = False
) -> tuple[Graph, Plan]:
    """Return the graph with every chain computed by stripes of random height, and its plan.

    Kernels are random ones of those there are. A chain that cannot go by stripes stays as it is.
    """
    rng = np.random.default_rng(seed)
    rivals = rival_steps(graph, features, "balanced")
    chosen = {
        outputs: options[int(rng.integers(len(options)))] for outputs, options in rivals.items()
    }
    bands = BandKernels(features)
    ops = []
    for chain in _chains(graph):
        members = [as_kernel_op(op) for op in chain]
        rows = int(rng.integers(1, graph[members[-1].outputs[0]].shape[1] + 1))
        given = graph.inputs[0] if fetched else ""
        kernels = [chosen[op.outputs] for op in members]
        op = Stripes.of(graph, members, kernels, rows, bands, given)
        step = lowered(op)
        if step is None:
            ops += members
        else:
            ops.append(op)
            chosen[op.outputs] = step
    return plan_memory(graph.with_ops(ops), steps=chosen)


def _chains(graph: Graph) -> list[list]:
    """Return the ops of each chain; every chain ends with an output of the model."""
    chains, current = [], []
    for op in graph.ops:
        current.append(op)
        if op.outputs[0] in graph.outputs:
            chains.append(current)
            current = []
    return chains


def with_program(plan: Plan, index: int, program) -> Plan:
    """Return the plan with another program in one of its steps."""
    steps = list(plan.steps)
    steps[index] = replace(steps[index], program=program)
    return replace(plan, steps=tuple(steps))
