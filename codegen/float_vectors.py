"""What the float32 kernels for vector units share: which machines have one, and packed weights.

The kernels are named `…_vector`, or `…_vector<width>` where weights are packed in panels of as many
columns. They add in another order than the interpreter, so they are only within a tolerance of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from edgec.codegen.registry import Const, Cost, Io, Step
from edgec.codegen.window import Window
from edgec.pipeline.graph import Array, DType

_WIDTHS = {"avx512": 32, "avx2": 16, "neon": 8}
"""Columns of a panel: two vectors."""

FEATURES = frozenset(_WIDTHS)
_ROWS = 8
"""The most rows that any kernel makes at a time."""
_POINTER_BYTES = 8
_DEEP = 16
"""Input channels from which on a run of one tap is long enough."""


def panel_width(features: frozenset[str]) -> int:
    """Return the columns of a panel on a machine with these features; 0 without a vector unit."""
    return next((width for name, width in _WIDTHS.items() if name in features), 0)


def usable(io: Io, features: frozenset[str]) -> bool:
    """Return whether the machine has vectors and the op computes float32."""
    return bool(FEATURES & features) and io.x.dtype is io.y.dtype is DType.FLOAT32


def packed(columns: Array, width: int) -> Array:
    """Return (depth, columns) as (panels, depth, width), zeros for columns that are over."""
    depth, count = columns.shape
    panels = -(-count // width)
    padded = np.pad(columns, ((0, 0), (0, panels * width - count)))
    return np.ascontiguousarray(padded.reshape(depth, panels, width).swapaxes(0, 1))


def packed_bias(bias: Array, width: int) -> Const:
    """Return a bias with zeros for channels that are over."""
    padded = np.pad(bias.astype(np.float32), (0, -len(bias) % width))
    return Const(padded, f"(panels, {width})")


def plain_cost(step: Step, instructions: int) -> Step:
    """Return a portable step with its cost: instructions of scalar code."""
    flash = sum(v.data.nbytes for v in step.params.values() if isinstance(v, Const))
    return replace(step, cost=Cost(instructions, flash))


def plain_fields(step: Step) -> dict[str, int | float]:
    """Return the parameters of a step that are numbers."""
    return {k: v for k, v in step.params.items() if isinstance(v, (int, float))}


def element_variants(io: Io, features: frozenset[str], step: Step) -> tuple[Step, ...]:
    """Return the vector twin of a kernel that takes the same parameters."""
    if not usable(io, features):
        return ()
    kernel = f"{step.kernel}_vector"
    cost = Cost(io.y.size // 4 + 1, 0)
    return (replace(step, kernel=kernel, cost=cost),)


def convolution(
    io: Io, window: Window, fields: Mapping[str, int | float], width: int, macs: int
) -> Step:
    """Return the step of a float32 convolution of one group; `fields` are the plain kernel's."""
    weights = io.input(1).values
    out_ch, kh, kw, in_ch = weights.shape
    whole_rows = in_ch < _DEEP and window.dilation[1] == 1
    taps_w, runs_w = (kw, 1) if whole_rows else (1, kw)
    run, runs = taps_w * in_ch, kh * runs_w
    panels = packed(weights.reshape(out_ch, -1).T, width)
    bias = np.zeros(out_ch) if io.optional(2) is None else io.input(2).values.reshape(-1)
    pointwise = window.kernel == window.stride == (1, 1) and not window.padded
    copies = _ROWS * kh * run if whole_rows else 0
    kept = {k: v for k, v in fields.items() if k not in ("groups", "kernel_h", "kernel_w")}
    return Step(
        f"edgec_conv_2d_float32_vector{width}",
        {
            "weights": Const(panels, f"(panels, kh, kw, in_ch, {width})"),
            "bias": packed_bias(bias, width),
            "run": run,
            "runs_h": kh,
            "runs_w": runs_w,
            "taps_w": taps_w,
            "pointwise": int(pointwise),
            **kept,
        },
        scratch_bytes=_POINTER_BYTES * _ROWS * runs + 4 * (run + copies),
        cost=Cost(macs // width + 1, panels.nbytes),
    )


def dense(io: Io, fields: Mapping[str, int | float], width: int, macs: int) -> Step:
    """Return the step of a float32 dense layer; `fields` are the plain kernel's."""
    weights = io.input(1).values
    bias = np.zeros(len(weights)) if io.optional(2) is None else io.input(2).values.reshape(-1)
    panels = packed(weights.T, width)
    return Step(
        f"edgec_fully_connected_float32_vector{width}",
        {
            "weights": Const(panels, f"(panels, in_size, {width})"),
            "bias": packed_bias(bias, width),
            **fields,
        },
        cost=Cost(macs // width + 1, panels.nbytes),
    )
