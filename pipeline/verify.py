"""Compares what a device answers with what the oracle answers.

How close it must be is the contract of the backend that built the model: code of our own for
integers must be equal byte for byte, float32 must be within a tolerance, because libm differs
between machines. The report says what was checked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from edgec.codegen.layout import Plan
from edgec.codegen.registry import Io, as_kernel_op
from edgec.pipeline.errors import VerificationError
from edgec.pipeline.graph import Array, DType, Graph, Interface
from edgec.pipeline.oracle import NumpyOracle, Oracle, Sample
from edgec.targets.device_protocol import Device

FLOAT_TOLERANCE = 1e-5
"""Largest difference of a float32 output, relative to the largest magnitude of that output."""

DYNAMIC_TOLERANCE, DYNAMIC_LAYERS = 0.02, 24
"""The same for every so many layers that round their float32 inputs to integers: what differs in
the last place before may differ by a step of 1/255 of a row's range after. LiteRT's kernels, which
differ only so, are 0.8 % apart after the 36 layers of DistilBERT and 3.5 % after the 73 of BERT."""

EXPLAIN_S = 120.0
"""How long a build looks for the layer that is wrong."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far an answer may be from the oracle's.

    `steps` are of an integer output; `share` is of the largest magnitude in a float32 output.
    """

    steps: int = 0
    share: float = 0.0

    @property
    def exact(self) -> bool:
        """Whether answers must be equal byte for byte."""
        return not self.steps and not self.share

    def __str__(self) -> str:
        parts = [f"{self.steps} step{'s' if self.steps > 1 else ''}"] if self.steps else []
        parts += [f"{self.share:g} of the largest value"] if self.share else []
        return f"within {' or '.join(parts)}" if parts else "byte for byte"


EXACT = Tolerance()


@dataclass(frozen=True, slots=True)
class Verified:
    """That a device answered `samples` inputs as the oracle does; `within` says how closely."""

    device: str
    oracle: str
    samples: int
    exact: bool
    within: str = str(EXACT)


@dataclass(frozen=True, slots=True)
class Difference:
    """The first element that is wrong."""

    layer: str
    index: tuple[int, ...]
    got: float
    wanted: float

    def __str__(self) -> str:
        return f"{self.layer}, element {list(self.index)}: got {self.got:g}, wanted {self.wanted:g}"


class WrongAnswerError(VerificationError):
    """A device answered `sample` wrongly."""

    def __init__(self, message: str, sample: Sample) -> None:
        super().__init__(message, "this is a defect of edgec: please report it with the model")
        self.sample = sample


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


def tolerance_of(graph: Graph) -> Tolerance:
    """Return how close generated C must be to the reference of its own arithmetic."""
    if is_exact(graph):
        return EXACT
    hybrid = sum(as_kernel_op(op).rounds_inputs(Io.of(graph, op)) for op in graph.ops)
    dynamic = DYNAMIC_TOLERANCE * max(1.0, hybrid / DYNAMIC_LAYERS)
    return Tolerance(share=dynamic if hybrid else FLOAT_TOLERANCE)


def first_difference(got: Array, want: Array, allowed: Tolerance) -> tuple[int, ...] | None:
    """Return the index of the first element that is wrong, None if all are right."""
    if got.dtype == np.float32 and not allowed.exact:
        limit = allowed.share * max(float(np.abs(want).max(initial=0.0)), 1e-30)
        wrong = ~(np.abs(got - want) <= limit)
    elif allowed.steps and got.dtype.kind in "iu":
        wrong = np.abs(got.astype(np.int64) - want.astype(np.int64)) > allowed.steps
    else:
        wrong = got != want
    return tuple(int(i) for i in np.argwhere(wrong)[0]) if wrong.any() else None


def verify_device(
    device: Device,
    ports: Interface,
    oracle: Oracle,
    samples: Sequence[Sample],
    name: str,
    *,
    allowed: Tolerance,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Verified, list[list[bytes]]]:
    """Run every sample on a device and compare; return its answers too, as raw bytes.

    Raises WrongAnswerError on a difference.
    """
    answers: list[list[bytes]] = []
    for number, sample in enumerate(samples):
        wanted = oracle.run(sample)
        got = run_sample(device, ports, sample)
        for output, (have, want) in enumerate(zip(got, wanted, strict=True)):
            at = first_difference(have, want, allowed)
            if at is not None:
                where = f"output {output}"
                found = Difference(where, at, float(have[at]), float(want[at]))
                raise WrongAnswerError(
                    f"{name} differs from {oracle.name} on sample {number}, {found}", sample
                )
        answers.append([have.tobytes() for have in got])
        if progress is not None:
            progress(number + 1, len(samples))
    checked = Verified(name, oracle.name, len(samples), allowed.exact, str(allowed))
    return checked, answers


def run_sample(device: Device, ports: Interface, sample: Sample) -> list[Array]:
    """Run one inference on a device, recurrent state cleared before; return its outputs."""
    for index, value in enumerate(sample):
        device.write_input(index, np.ascontiguousarray(value).tobytes())
    device.run(1, reset=device.info.has_state)
    return [as_array(device.read_output(i), ports, name) for i, name in enumerate(ports.outputs)]


def as_array(raw: bytes, ports: Interface, name: str) -> Array:
    """Return a tensor's bytes as an array of its type and shape."""
    return np.frombuffer(raw, ports[name].dtype.numpy).reshape(ports[name].shape)


def explain_difference(device: Device, graph: Graph, plan: Plan, sample: Sample) -> str:
    """Run a sample on a profile build and name the first layer and element that is wrong.

    Layers are compared with the numpy references of the graph as it runs, which may have fewer
    channels than the file. A device runs the model again for each kilobyte of a layer, so that of a
    large network only those layers are looked at that EXPLAIN_S allows.
    """
    allowed = tolerance_of(graph)
    if any(tensor.variable for tensor in graph.tensors.values()):
        return "layers of a model that keeps state are not compared one by one"
    values = NumpyOracle(graph).tensors(sample)
    start = time.monotonic()
    run_sample(device, graph, sample)
    run_s = time.monotonic() - start
    for number, op in enumerate(graph.ops):
        runs = sum(graph[name].size_bytes for name in op.outputs) // device.info.max_payload + 1
        if time.monotonic() - start + runs * run_s > EXPLAIN_S:
            return f"the first {number} of {len(graph.ops)} layers are right; to read on takes long"
        for position, name in enumerate(op.outputs):
            if name not in values:
                continue
            raw = device.read_layer(number, position, graph[name].size_bytes)
            got = as_array(raw, graph, name)
            at = first_difference(got, values[name], allowed)
            if at is not None:
                layer = (
                    f"first in layer {number} ({op.title}, {plan.steps[number].kernel or 'view'})"
                )
                return str(Difference(layer, at, float(got[at]), float(values[name][at])))
    return (
        "every layer equals its numpy reference, so a graph rewrite or a reference is wrong; "
        "build with --no-shrink to tell which"
    )
