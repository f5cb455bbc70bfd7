"""Compares what a device answers with what the oracle answers, byte for byte.

int8 models must be equal. float32 models must be within a tolerance of the reference, because
libm differs between machines; the report says which of the two was checked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from edgec.codegen.layout import Plan
from edgec.pipeline.errors import VerificationError
from edgec.pipeline.graph import Array, DType, Graph
from edgec.pipeline.oracle import NumpyOracle, Oracle, Sample
from edgec.targets.device_protocol import Device

FLOAT_TOLERANCE = 1e-5
"""Largest difference of a float32 output, relative to the largest magnitude of that output."""


@dataclass(frozen=True, slots=True)
class Verified:
    """That a device answered `samples` inputs as the oracle does, and how strictly."""

    device: str
    oracle: str
    samples: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """The first element that is wrong."""

    layer: str
    index: tuple[int, ...]
    got: float
    wanted: float

    def __str__(self) -> str:
        return f"{self.layer}, element {list(self.index)}: got {self.got:g}, wanted {self.wanted:g}"


def is_exact(graph: Graph) -> bool:
    """Return whether a model's answers are compared byte for byte.

    float32 between DEQUANTIZE and QUANTIZE, as between int8 and int16, is a product and a quotient
    that every machine rounds alike.
    """
    readers = graph.consumers()
    return all(
        graph[name].dtype is not DType.FLOAT32
        or (
            op.builtin == "DEQUANTIZE"
            and name not in graph.outputs
            and all(reader.builtin == "QUANTIZE" for reader in readers.get(name, ()))
        )
        for op in graph.ops
        for name in op.outputs
    )


def first_difference(got: Array, want: Array, exact: bool) -> tuple[int, ...] | None:
    """Return the index of the first element that is wrong, None if all are right."""
    if exact or got.dtype != np.float32:
        wrong = got != want
    else:
        limit = FLOAT_TOLERANCE * max(float(np.abs(want).max(initial=0.0)), 1e-30)
        wrong = ~(np.abs(got - want) <= limit)
    return tuple(int(i) for i in np.argwhere(wrong)[0]) if wrong.any() else None


def verify_device(
    device: Device,
    graph: Graph,
    oracle: Oracle,
    samples: Sequence[Sample],
    name: str,
    *,
    explain: Callable[[Sample], str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Verified, list[list[bytes]]]:
    """Run every sample on a device and compare; return its answers too, as raw bytes.

    On a difference raises VerificationError; `explain(sample)` then names the first layer that is
    wrong, from a profile build.
    """
    exact = is_exact(graph)
    answers: list[list[bytes]] = []
    for number, sample in enumerate(samples):
        wanted = oracle.run(sample)
        got = run_sample(device, graph, sample)
        for output, (have, want) in enumerate(zip(got, wanted, strict=True)):
            at = first_difference(have, want, exact)
            if at is not None:
                where = f"output {output}"
                found = Difference(where, at, float(have[at]), float(want[at]))
                raise VerificationError(
                    f"{name} differs from {oracle.name} on sample {number}, {found}"
                    + (f"; {explain(sample)}" if explain is not None else ""),
                    "this is a defect of edgec: please report it with the model",
                )
        answers.append([have.tobytes() for have in got])
        if progress is not None:
            progress(number + 1, len(samples))
    return Verified(name, oracle.name, len(samples), exact), answers


def run_sample(device: Device, graph: Graph, sample: Sample) -> list[Array]:
    """Run one inference on a device, recurrent state cleared before; return its outputs."""
    for index, value in enumerate(sample):
        device.write_input(index, np.ascontiguousarray(value).tobytes())
    device.run(1, reset=device.info.has_state)
    return [as_array(device.read_output(i), graph, name) for i, name in enumerate(graph.outputs)]


def as_array(raw: bytes, graph: Graph, name: str) -> Array:
    """Return a tensor's bytes as an array of its type and shape."""
    return np.frombuffer(raw, graph[name].dtype.numpy).reshape(graph[name].shape)


def explain_difference(device: Device, graph: Graph, plan: Plan, sample: Sample) -> str:
    """Run a sample on a profile build and name the first layer and element that is wrong.

    Layers are compared with the numpy references of the graph as it runs, which may have fewer
    channels than the file.
    """
    exact = is_exact(graph)
    if any(tensor.variable for tensor in graph.tensors.values()):
        return "layers of a model that keeps state are not compared one by one"
    values = NumpyOracle(graph).tensors(sample)
    run_sample(device, graph, sample)
    for number, op in enumerate(graph.ops):
        for position, name in enumerate(op.outputs):
            if name not in values:
                continue
            raw = device.read_layer(number, position, graph[name].size_bytes)
            got = as_array(raw, graph, name)
            at = first_difference(got, values[name], exact)
            if at is not None:
                layer = (
                    f"first in layer {number} ({op.title}, {plan.steps[number].kernel or 'view'})"
                )
                return str(Difference(layer, at, float(got[at]), float(values[name][at])))
    return (
        "every layer equals its numpy reference, so a graph rewrite or a reference is wrong; "
        "build with --no-shrink to tell which"
    )
