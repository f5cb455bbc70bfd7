"""Checks that an int8 model still has the zeros and the few values that earlier steps made."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgec.pipeline.compress.quantizers import KERNELS
from edgec.pipeline.compress.work import Work
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array


def check_kept_weights(work: Work, model: Any, content: bytes) -> None:
    """Note the zeros and values of the converted weights; raise where they are not kept.

    `model` is the plain model that was converted; its float kernels say what was to be kept.
    """
    if not {"sparsity", "clusters"} & set(work.traits):
        return
    codes = int8_weights(content)
    total = zeros = 0
    values = []
    for layer in model.layers:
        attribute = KERNELS.get(type(layer).__name__, ("", ""))[0]
        if attribute != "kernel":
            continue
        kernel = getattr(layer, attribute).numpy()
        found = _matching(kernel, codes)
        if found is None:
            raise UnsupportedModelError(
                f"layer {layer.name!r}: its weights are not in the converted model"
            )
        total += kernel.size
        zeros += int((found == 0).sum())
        if "sparsity" in work.traits and np.any(found[kernel == 0]):
            raise UnsupportedModelError(f"layer {layer.name!r}: pruned weights are not zero")
        values.append(f"{layer.name} {_most_values(found)}")
    if "sparsity" in work.traits:
        work.notes.append(f"{zeros:,} of {total:,} int8 weights are zero")
    if "clusters" in work.traits:
        work.notes.append(f"most int8 values in an output channel, by layer: {', '.join(values)}")


def int8_weights(content: bytes) -> list[tuple[Array, Array]]:
    """Return the int8 constants with their real values, output channels first."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    found = []
    for tensor in model.subgraphs[0].tensors:
        data = model.buffers[tensor.buffer].data
        if tensor.type != schema.TensorType.INT8 or data is None or not len(tensor.shape):
            continue
        codes = np.frombuffer(bytes(data), np.int8).reshape([int(n) for n in tensor.shape])
        scale = np.asarray(tensor.quantization.scale, np.float32)
        shape = [1] * codes.ndim
        shape[tensor.quantization.quantizedDimension if len(scale) > 1 else 0] = len(scale)
        found.append((codes, codes * scale.reshape(shape)))
    return found


def _matching(kernel: Array, weights: list[tuple[Array, Array]]) -> Array | None:
    """Return the int8 weights that a kernel (..., in, out) became, in the kernel's shape."""
    rows = kernel.reshape(-1, kernel.shape[-1]).T
    for codes, real in weights:
        if codes.size != kernel.size or codes.shape[0] != kernel.shape[-1]:
            continue
        flat = real.reshape(rows.shape)
        step = np.abs(rows).max() / 127
        if np.abs(flat - rows).max() <= 0.51 * step:
            return codes.reshape(rows.shape).T.reshape(kernel.shape)
    return None


def _most_values(codes: Array) -> int:
    columns = codes.reshape(-1, codes.shape[-1])
    return max(len(np.unique(columns[:, i])) for i in range(columns.shape[1]))
