"""The backend `tflite`: the flatbuffer as it is, interpreted on the device by LiteRT.

Its contract, as measured (docs/backends.md): where XNNPACK runs it, integers equal LiteRT's on this
machine byte for byte, but for a softmax on aarch64. The 32-bit runtime has older kernels that round
twice: within a step of the references that do.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import DType, Graph, Rounding
from edgec.pipeline.interpreted import Contract, Interpreted
from edgec.pipeline.load import tflite
from edgec.pipeline.oracle import LiteRtOracle, NumpyOracle, litert_ports
from edgec.pipeline.subject import Subject
from edgec.pipeline.verify import EXACT, Tolerance
from edgec.targets.profile import Target
from edgec.targets.script import LITERT

FLOAT_SHARE = 1e-4
"""Of the largest value of a float32 output: kernels add in another order than the references."""

DYNAMIC_SHARE = 2e-2
"""Dynamic range: a value that rounds the other way in one layer is a step of 127."""

SOFTMAX_STEPS = 1
"""How far a softmax of 8 bits on aarch64, by tables of 16 bits, is from that of other machines."""

OLD_MACHINE = "armv7l"
"""What `uname -m` says where there is no newer runtime than tflite-runtime 2.14, of 2023."""

OLD_STEPS = 1
"""How far the 32-bit runtime was from references that round twice, on the benchmark models."""


def refusal(subject: Subject) -> str:
    """Return why LiteRT cannot run the model on the target; empty if it may."""
    target, options = subject.target, subject.options
    if target.memories:
        return "it needs a computer with Python"
    if options.rounding is Rounding.TFLM:
        return "LiteRT rounds as it does, --rounding tflm has no effect"
    if options.input_rows:
        return "an interpreter takes its input whole, --input-rows has no effect"
    if options.ram_bytes is not None or options.flash_bytes is not None:
        return "what an interpreter takes is not held to --ram or --flash"
    return ""


def build(subject: Subject, folder: Path) -> Interpreted:
    """Take the model as it is lowered, and the agent that runs it."""
    path = subject.lowered().path
    model = path.read_bytes()
    graph = _graph(model, subject.name, path.name)
    contract = partial(_contract, model, graph, subject)
    return Interpreted("tflite", path, LITERT, subject, folder, graph, contract)


def _graph(model: bytes, name: str, where: str) -> Graph:
    """Return the graph, or one without ops where the file has some that edgec does not know."""
    try:
        return tflite.parse(model, name, Rounding.TFLITE, where=where)
    except UnsupportedModelError:
        return litert_ports(model, name)


def _contract(model: bytes, graph: Graph, subject: Subject, target: Target) -> Contract:
    """Return what answers are compared with, and how far from it they may be."""
    if all(graph[name].dtype is DType.FLOAT32 for name in graph.outputs):
        dynamic = subject.options.quantize == "dynamic-range" or not graph.ops
        if dynamic:
            return partial(LiteRtOracle, model, "default"), Tolerance(share=DYNAMIC_SHARE)
        return partial(LiteRtOracle, model), Tolerance(share=FLOAT_SHARE)
    if OLD_MACHINE not in target.machines:
        apart = "aarch64" in target.machines and _has_softmax(graph)
        allowed = Tolerance(steps=SOFTMAX_STEPS) if apart else EXACT
        return partial(LiteRtOracle, model, "default"), allowed
    twice = tflite.parse(model, subject.name, Rounding.TFLM)
    name = "numpy references that round twice"
    return partial(NumpyOracle, twice, name), Tolerance(steps=OLD_STEPS)


def _has_softmax(graph: Graph) -> bool:
    """Return whether a model has a softmax of 8 bits."""
    small = (DType.INT8, DType.UINT8)
    return any(op.builtin == "SOFTMAX" and graph[op.inputs[0]].dtype in small for op in graph.ops)
