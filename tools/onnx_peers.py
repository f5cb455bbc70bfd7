"""Makes the ONNX files that ONNX Runtime is measured with, each held against what it came from.

float32 is what tf2onnx makes of the `.tflite`. int8 is that too, with activations of uint8: the
same numbers and 128, for which ONNX Runtime has its fast kernels on x86. Dynamic range is ONNX
Runtime's own quantisation of the float32 file, for tf2onnx cannot convert those `.tflite`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array, Graph
from edgec.pipeline.onnx_oracle import OnnxOracle, onnx_ports
from edgec.pipeline.oracle import LiteRtOracle, Oracle, Sample
from edgec.pipeline.trial import random_samples

LARGEST_ERROR = 0.02
"""How far from its origin a file may be on the mean, of the range of an output. What rounds
otherwise was up to 0.009 off (MobileNetV2 in int8), what is wrong is far over it."""
SAMPLES = 5
OPSET = "17"


def float_peer(lowered: Path, out: Path) -> Path:
    """Return a float32 `.tflite` as ONNX; what is there is kept."""
    return _made(out, lambda part: _convert(lowered, part), LiteRtOracle, lowered)


def integer_peer(lowered: Path, out: Path) -> Path:
    """Return an int8 `.tflite` as ONNX with uint8 activations; what is there is kept."""

    def make(part: Path) -> None:
        _convert(lowered, part)
        _as_uint8(part)

    return _made(out, make, LiteRtOracle, lowered)


def dynamic_peer(source: Path, out: Path) -> Path:
    """Return a float32 ONNX file with weights of int8 and inputs quantised as they come."""

    def make(part: Path) -> None:
        from onnxruntime.quantization import QuantType, quantize_dynamic

        quantize_dynamic(source, part, per_channel=True, weight_type=QuantType.QInt8)

    return _made(out, make, None, source)


def _made(
    out: Path, make: Callable[[Path], None], litert: type[LiteRtOracle] | None, origin: Path
) -> Path:
    """Make a file beside `out`, compare it with its origin, and only then put it there."""
    if not out.exists():
        part = out.with_suffix(".part.onnx")
        make(part)
        ports = onnx_ports(part, "peer")
        reference = OnnxOracle(origin, ports) if litert is None else litert(origin.read_bytes())
        samples = random_samples(ports, SAMPLES)
        error = mean_error(_opened(part, ports), reference, samples)
        if error > LARGEST_ERROR:
            raise UnsupportedModelError(
                f"{out.name} is {error:.3f} of the range off {reference.name} of {origin.name}"
            )
        part.rename(out)
    return out


def _opened(path: Path, ports: Graph) -> Oracle:
    try:
        return OnnxOracle(path, ports, optimized=True)
    except Exception as error:  # ONNX Runtime has a dozen kinds, all of them bare
        words = " ".join(str(error).replace(str(path), path.name).split())[:200]
        raise UnsupportedModelError(f"{path.name} is no model that it runs: {words}") from error


def mean_error(peer: Oracle, reference: Oracle, samples: list[Sample]) -> float:
    """Return how far two oracles are apart on the mean, of the range of an output.

    Where the peer has uint8, its numbers are the reference's and 128.
    """
    worst = 0.0
    for sample in samples:
        got = peer.run(sample)
        wanted = reference.run([_signed(value) for value in sample])
        for have, want in zip(got, wanted, strict=True):
            span = 255.0 if want.dtype == np.int8 else float(np.abs(want).max(initial=1e-30))
            off = np.abs(_signed(have).astype(np.float64) - want.astype(np.float64))
            worst = max(worst, float(off.mean()) / span)
    return worst


def _signed(value: Array) -> Array:
    return (value.astype(np.int16) - 128).astype(np.int8) if value.dtype == np.uint8 else value


def _convert(lowered: Path, out: Path) -> None:
    tool = [sys.executable, "-m", "tf2onnx.convert", "--opset", OPSET]
    done = subprocess.run(
        [*tool, "--tflite", str(lowered), "--output", str(out)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UnsupportedModelError(f"tf2onnx cannot convert {lowered.name}: {last}")


def _as_uint8(path: Path) -> None:
    """Make the int8 activations of a file uint8: every zero point is 128 more."""
    import onnx
    from onnx import TensorProto, numpy_helper

    model = onnx.load(str(path))
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    moved: dict[str, Any] = {}
    for node in graph.node:
        if node.op_type not in ("QuantizeLinear", "DequantizeLinear"):
            continue
        data, _, zero = node.input
        if data in constants or constants[zero].data_type != TensorProto.INT8:
            continue
        name = f"{zero}_and_128"
        value = numpy_helper.to_array(constants[zero]).astype(np.int16) + 128
        moved[name] = numpy_helper.from_array(value.astype(np.uint8), name)
        node.input[2] = name
    graph.initializer.extend(moved.values())
    for port in (*graph.input, *graph.output):
        kind = port.type.tensor_type
        if kind.elem_type == TensorProto.INT8:
            kind.elem_type = TensorProto.UINT8
    del graph.value_info[:]
    onnx.save(model, str(path))
