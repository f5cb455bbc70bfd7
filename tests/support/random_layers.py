"""Draws many random layers with their answers, each under every kernel that can compute it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from edgec.codegen import thumb1, thumb2
from edgec.codegen.registry import Const, Io, Step, as_kernel_op
from edgec.pipeline.graph import Graph, Rounding, check
from edgec.pipeline.load import tflite
from edgec.pipeline.oracle import NumpyOracle
from tests.support.evaluate import run_numpy
from tests.support.flatmodel import FlatModel
from tests.support.layer_program import Layer
from tests.support.oracle import run_litert

CORES = {
    "any core": frozenset[str](),
    "thumb1": frozenset({thumb1.FEATURE}),
    "thumb2": frozenset({thumb2.FEATURE}),
    "dsp": frozenset({"dsp"}),
    "mve": frozenset({"dsp", "fpu", "mve"}),
}
"""Features of the cores that kernels are written for."""

Add = Callable[[Any, FlatModel], None]


def draw_models(add: Add, layers: int, number: int, a_model: int = 25) -> list[FlatModel]:
    """Return models of `a_model` layers side by side, `layers` or more in all; always the same."""
    models: list[FlatModel] = []

    @seed(number)
    @settings(
        max_examples=-(-layers // a_model), deadline=None, database=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def draw(data: st.DataObject) -> None:
        model = FlatModel()
        for _ in range(a_model):
            add(data.draw, model)
        models.append(model)

    draw()
    return models


def layers_of(
    model: FlatModel,
    rounding: Rounding = Rounding.TFLITE,
    resolver: str = "BUILTIN_REF",
    cores: Iterable[frozenset[str]] = CORES.values(),
) -> Iterator[Layer]:
    """Yield every layer of a model under every kernel of these cores, with the right answers."""
    content = model.bytes()
    graph = check(tflite.parse(content, "layers", rounding))
    samples = extreme_values(model)
    if rounding is Rounding.TFLITE:
        want = run_litert(content, samples, resolver)
    else:
        want = run_numpy(graph, samples)
    known = [
        {**dict(zip(graph.inputs, sample, strict=True)),
         **dict(zip(graph.outputs, answer, strict=True))}
        for sample, answer in zip(samples, want, strict=True)
    ]  # fmt: skip
    if any(set(op.outputs) - set(graph.outputs) for op in graph.ops):
        oracle = NumpyOracle(graph)
        known = [oracle.tensors(sample) | k for sample, k in zip(samples, known, strict=True)]
    for op in graph.ops:
        io = Io.of(graph, op)
        values = [[_value(graph, name, k) for name in op.inputs] for k in known]
        answers = [[k[name] for name in op.outputs] for k in known]
        ends = " ".join(str(list(t.shape)) for t in (*io.present, *io.outputs))
        for step in kernels(op, io, cores):
            where = f"{op.builtin} {ends}"
            inputs = tuple(t if t is not None else io.x for t in io.inputs)
            yield Layer(where, step, inputs, io.outputs, values, answers)


def extreme_values(model: FlatModel) -> list[list[np.ndarray]]:
    """Return samples of random values, of nothing but the least int8, and of the greatest."""
    random = [model.draw_inputs(number) for number in (1, 2)]
    ends = (-128, 127)
    extremes = [
        [np.full_like(v, end) if v.dtype == np.int8 else v for v in random[0]] for end in ends
    ]
    return [*random, *extremes]


def _value(graph: Graph, name: str, known: dict[str, np.ndarray]) -> np.ndarray:
    if not name:
        return np.zeros(0, np.int8)
    data = graph[name].data
    return known[name] if data is None else data


def kernels(op: Any, io: Io, cores: Iterable[frozenset[str]]) -> Sequence[Step]:
    """Return every distinct step that computes an op on one of the cores."""
    kernel_op = as_kernel_op(op)
    found: dict[str, Step] = {}
    for features in cores:
        for step in (kernel_op.lower(io), *kernel_op.variants(io, features)):
            if not step.view:
                found.setdefault(_digest(step), step)
    return list(found.values())


def _digest(step: Step) -> str:
    text = hashlib.sha256(repr((step.kernel, step.inputs, step.scratch_bytes)).encode())
    for name, value in step.params.items():
        text.update(name.encode())
        text.update(value.data.tobytes() if isinstance(value, Const) else repr(value).encode())
    return text.hexdigest()


def is_one_pixel(layer: Layer) -> bool:
    """Whether the image that the layer reads has one pixel, or the vector one element."""
    shape = layer.inputs[0].shape
    return shape[1:3] == (1, 1) if len(shape) == 4 else layer.inputs[0].size == shape[-1] == 1


def saturates(layer: Layer) -> bool:
    """Whether some sample drives every output to an end of int8."""
    return any(np.isin(out, (-128, 127)).all() for answer in layer.want for out in answer)


def is_negative(layer: Layer) -> bool:
    """Whether no weight is above zero."""
    weights = [t.data for t in layer.inputs[1:2] if t.data is not None]
    return any(data.dtype == np.int8 and (data <= 0).all() for data in weights)


def has_tiny_scale(layer: Layer) -> bool:
    """Whether a scale is so small that its multiplier is nothing, or next to it."""
    quants = [t.quant for t in layer.inputs if t.quant is not None]
    return any(min(q.scales) < 1e-8 for q in quants)
