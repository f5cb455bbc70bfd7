"""Quantises a float `.tflite` after training, by ai-edge-quantizer: no TensorFlow, under a second.

Each op is quantised with its output's bits, and where neighbours differ in bits a QUANTIZE between
them converts: so a few layers can have 16-bit activations and the rest 8.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout

import numpy as np

from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array
from edgec.pipeline.lower.bias_range import mend_biases
from edgec.pipeline.lower.converted_file import in_signature_order
from edgec.pipeline.lower.interpretation import value_ranges
from edgec.pipeline.worker import Progress, Report

SIGNATURE = "serving_default"


def quantize_file(
    content: bytes,
    samples: Sequence[Array],
    report: Report,
    *,
    bits: int = 8,
    wide: Sequence[str] = (),
    only: str = ".*",
) -> bytes:
    """Return the float `.tflite` in int8 weights and `bits`-bit activations (8 or 16).

    `samples` holds one float32 array an input, in the order of the file's inputs, samples along
    axis 0. `wide` are regular expressions: ops whose output tensors' names they match get 16-bit
    activations; ops that `only` does not match stay float. Raises UnsupportedModelError where an
    expression matches nothing, or the quantiser refuses the model.
    """
    _require_matches(content, (*wide, only))
    report(Progress("quantize", 0, len(samples[0]), "ai-edge-quantizer"))
    configs = [(only, bits), *((pattern, 16) for pattern in wide)]
    first = dict(zip(_input_names(content), (x[:1] for x in samples), strict=True))
    ranges = value_ranges(content, samples)
    try:
        # It prints sizes and a progress bar of its own.
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            quantized = _quantized(content, configs, first, ranges)
    except (ValueError, RuntimeError, KeyError) as error:
        text = " ".join(str(error).split())[:300]
        raise UnsupportedModelError(
            f"ai-edge-quantizer refuses the model: {text}",
            'quantise it by TensorFlow\'s converter: the step "ptq"',
        ) from error
    return in_signature_order(mend_biases(quantized, content))


def _quantized(
    content: bytes,
    configs: Sequence[tuple[str, int]],
    first: Mapping[str, Array],
    ranges: Mapping[str, tuple[float, float]],
) -> bytes:
    """Quantise with activation bits by expression; of several that match an op the last counts.

    The quantiser's own calibration averages what samples bring about, so that it clips; it is
    run for its bookkeeping on the `first` sample only, and its averages replaced by `ranges`.
    """
    from ai_edge_quantizer import qtyping, quantizer

    engine = quantizer.Quantizer(content)
    for pattern, bits in configs:
        engine.add_static_config(pattern, qtyping.TFLOperationName.ALL_SUPPORTED, bits, 8)
    seen = engine.calibrate({SIGNATURE: [dict(first)]}, num_threads=1)
    for name, found in seen.items():
        if name in ranges and "min" in found:
            for key, value in zip(("min", "max"), ranges[name], strict=True):
                found[key] = np.full_like(found[key], value)
    return bytes(engine.quantize(seen).quantized_model)


def _input_names(content: bytes) -> list[str]:
    """Return the names of the signature's inputs in the order of the file's inputs."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(content)
    if model.SignatureDefsLength() != 1:
        raise UnsupportedModelError(
            f"{model.SignatureDefsLength()} signatures in the .tflite, one wanted"
        )
    signature, subgraph = model.SignatureDefs(0), model.Subgraphs(0)
    ports = [signature.Inputs(i) for i in range(signature.InputsLength())]
    by_index = {port.TensorIndex(): port.Name().decode() for port in ports}
    return [by_index[int(index)] for index in subgraph.InputsAsNumpy()]


def exactly(output: str) -> str:
    """Return the expression that matches the op with this output tensor, and no other."""
    return f"^{re.escape(output)};?$"


def output_names(content: bytes) -> list[str]:
    """Return the name of every op's first output tensor, in order: what `wide` is matched with."""
    from ai_edge_litert import schema_py_generated as schema

    subgraph = schema.Model.GetRootAs(content).Subgraphs(0)
    ops = (subgraph.Operators(i) for i in range(subgraph.OperatorsLength()))
    return [subgraph.Tensors(op.Outputs(0)).Name().decode() for op in ops]


def _require_matches(content: bytes, wide: Sequence[str]) -> None:
    names = output_names(content)
    for pattern in wide:
        if not any(re.search(pattern, name) for name in names):
            raise UnsupportedModelError(
                f"no layer's output is named like {pattern!r}", f"known: {', '.join(names)}"
            )
