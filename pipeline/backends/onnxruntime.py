"""The backend `onnxruntime`: an ONNX file in ONNX Runtime, a peer to compare with.

Its contract: within a tolerance of ONNX Runtime on this machine, node by node, nothing optimised.
A quantised file is compared with the same kernels here: integers byte for byte.
"""

from __future__ import annotations

import importlib.util
from functools import partial
from pathlib import Path

from edgec.pipeline.errors import ToolMissingError
from edgec.pipeline.interpreted import Interpreted
from edgec.pipeline.onnx_oracle import OnnxOracle, is_quantized, onnx_ports
from edgec.pipeline.subject import Subject
from edgec.pipeline.verify import Tolerance
from edgec.targets.script import ORT

SHARE = 1e-4
"""Of the largest value of an output."""

QUANTIZED_SHARE = 2e-2
"""The same of a float32 output behind integers that are rounded as they come."""


def refusal(subject: Subject) -> str:
    """Return why ONNX Runtime cannot run the model on the target; empty if it may."""
    if subject.target.memories:
        return "it needs a computer with Python"
    if not set(ORT.wheels) & set(subject.target.machines):
        return f"there is no ONNX Runtime for {' or '.join(subject.target.machines)}"
    if subject.onnx is None:
        return "it takes ONNX files alone"
    return ""


def abstains(subject: Subject) -> str:
    """Return that it is a peer: no build ends up with it unless it is asked for."""
    del subject
    return "a peer: only where it is asked for"


def build(subject: Subject, folder: Path) -> Interpreted:
    """Take the ONNX file, and the agent that runs it."""
    for package in ("onnx", "onnxruntime"):
        if importlib.util.find_spec(package) is None:
            raise ToolMissingError(
                f"backend onnxruntime needs {package}", "pip install 'edgec[onnxruntime]'"
            )
    model = subject.onnx
    assert model is not None
    ports = onnx_ports(model, subject.name)
    quantized = is_quantized(model)
    allowed = Tolerance(share=QUANTIZED_SHARE if quantized else SHARE)
    contract = (partial(OnnxOracle, model, ports, optimized=quantized), allowed)
    return Interpreted("onnxruntime", model, ORT, subject, folder, ports, lambda _: contract)
