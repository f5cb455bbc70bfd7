"""Dense layers of dynamic range: float32 in and out, int8 weights, inputs quantised row by row.

Each row of inputs gets a scale and a zero point of its own at run time, so that products are those
of integers. Source: TFLite `kernels/fully_connected.cc` EvalHybrid and
`kernels/internal/reference/portable_tensor_utils.cc`.
"""

from __future__ import annotations

import numpy as np

from edgec.codegen.quantmath import float_bounds
from edgec.codegen.registry import Const, Cost, Io, Step
from edgec.codegen.vector_image import LANES, QUAD, SLACK, set_quads
from edgec.pipeline.graph import Activation, Array, DType

_STRIP_BYTES = 256 * 1024
"""About how many bytes of integers are made at a time: they should stay in the second cache."""
_ROW_SCALE_BYTES = 16


def is_hybrid(io: Io) -> bool:
    """Return whether a dense layer has float32 inputs and int8 weights."""
    return io.x.dtype is DType.FLOAT32 and io.input(1).dtype is DType.INT8


def channel_scales(io: Io) -> Array:
    """Return the weights' scale for each output, float32."""
    scales = np.array(io.input(1).q.scales, np.float32)
    return np.ascontiguousarray(np.broadcast_to(scales, (io.input(1).shape[0],)))


def quantized_rows(rows: Array, *, asymmetric: bool) -> tuple[Array, Array, Array]:
    """Return rows as integers, and the float32 scale and zero point of each."""
    return _asymmetric(rows) if asymmetric else _symmetric(rows)


def _asymmetric(rows: Array) -> tuple[Array, Array, Array]:
    low, high = np.minimum(rows.min(axis=1), 0), np.maximum(rows.max(axis=1), 0)
    empty = low == high
    scale = np.where(empty, np.float32(1), (high - low) / np.float32(255)).astype(np.float32)
    below, above = low / scale, high / scale
    nearer = 128 + np.abs(below) < 127 + np.abs(above)
    zero = np.where(nearer, -128 - below, 127 - above).astype(np.float32)
    zero = np.where(empty, np.float32(0), _rounded(np.clip(zero, -128, 127)))
    inverse = np.float32(1) / scale
    steps = zero[:, None] + _rounded(rows * inverse[:, None])
    return np.clip(steps, -128, 127).astype(np.int32), scale, zero.astype(np.int32)


def _symmetric(rows: Array) -> tuple[Array, Array, Array]:
    reach = np.maximum(np.abs(rows.min(axis=1)), np.abs(rows.max(axis=1))).astype(np.float32)
    empty = reach == 0
    safe = np.where(empty, np.float32(1), reach)
    scale = np.where(empty, np.float32(1), safe / np.float32(127)).astype(np.float32)
    inverse = np.float32(127) / safe
    steps = np.clip(_rounded(rows * inverse[:, None]), -127, 127)
    return steps.astype(np.int32), scale, np.zeros(len(rows), np.int32)


def _rounded(x: Array) -> Array:
    """Round halves away from zero; adding a half before would round twice."""
    whole = np.trunc(x)
    return np.asarray(whole + np.trunc(2 * (x - whole)))


def hybrid_types(io: Io) -> bool:
    """Return whether the types are those of a hybrid layer, its weights symmetric."""
    bias = io.optional(2)
    kinds = io.y.dtype is DType.FLOAT32 and (bias is None or bias.dtype is DType.FLOAT32)
    quant = io.input(1).quant
    return is_hybrid(io) and kinds and quant is not None and not any(quant.zero_points)


def reference(io: Io, x: Array, activation: Activation, *, asymmetric: bool) -> Array:
    """Multiply as integers, scale and add the bias in float32."""
    weights = io.input(1).values.astype(np.int64)
    rows, scale, zero = quantized_rows(x.reshape(-1, weights.shape[1]), asymmetric=asymmetric)
    sums = rows.astype(np.int64) @ weights.T - zero[:, None].astype(np.int64) * weights.sum(axis=1)
    real = sums.astype(np.float32) * (scale[:, None] * channel_scales(io))
    low, high = float_bounds(activation)
    out = np.clip(_bias(io) + real, np.float32(low), np.float32(high))
    return np.asarray(out.astype(np.float32).reshape(io.y.shape))


def step(io: Io, activation: Activation, *, asymmetric: bool) -> Step:
    """Return the call of the portable kernel."""
    weights = io.input(1).values
    out, size = weights.shape
    low, high = float_bounds(activation)
    return Step(
        "edgec_fully_connected_float32_int8",
        {
            "weights": Const(weights, "(out_size, in_size)"),
            "bias": Const(_bias(io), "(out_size)"),
            "scales": Const(channel_scales(io), "(out_size)"),
            "row_sums": Const(weights.sum(axis=1, dtype=np.int32), "(out_size)"),
            "batches": io.x.size // size,
            "in_size": size,
            "out_size": out,
            "asymmetric": int(asymmetric),
            "out_min": low,
            "out_max": high,
        },
        scratch_bytes=size,
        cost=Cost(4 * io.y.size * size, weights.nbytes + 12 * out),
    )


def vector_step(io: Io, activation: Activation, *, asymmetric: bool) -> Step | None:
    """Return the call of the kernel for vectors, None where a weight is -128."""
    weights = io.input(1).values
    out, size = weights.shape
    if weights.min(initial=0) == -128:  # its negative is no int8
        return None
    packed = set_quads(weights[:, None, :])
    quads = packed.shape[1]
    batches = io.x.size // size
    strip = max(min(batches, _STRIP_BYTES // (QUAD * quads)), 1)
    low, high = float_bounds(activation)
    sets = {
        "bias": _bias(io).astype(np.float32),
        "scales": channel_scales(io),
        "row_sums": weights.sum(axis=1, dtype=np.int32),
    }
    return Step(
        "edgec_fully_connected_float32_int8_vector",
        {
            "weights": Const(packed, "(out_size / 16, quads, 16, 4)"),
            **{k: Const(np.pad(v, (0, -out % LANES)), "(out_size)") for k, v in sets.items()},
            "quads": Const(np.arange(0, QUAD * quads, QUAD, dtype=np.int32), "(quads)"),
            "quad_count": quads,
            "batches": batches,
            "in_size": size,
            "out_size": out,
            "strip_rows": strip,
            "asymmetric": int(asymmetric),
            "ends.out_min": low,
            "ends.out_max": high,
        },
        scratch_bytes=strip * (_ROW_SCALE_BYTES + QUAD * quads) + SLACK,
        cost=Cost(batches * len(packed) * (quads + 20), packed.nbytes + 12 * out + 4 * quads),
    )


def _bias(io: Io) -> Array:
    bias = io.optional(2)
    count = io.input(1).shape[0]
    return np.zeros(count, np.float32) if bias is None else bias.values.reshape(-1)
