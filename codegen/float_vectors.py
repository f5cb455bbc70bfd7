"""What the float32 kernels for vector units share: which machines have one, and packed weights.

The kernels are named `…_vector`, or `…_vector<width>` where weights are packed in panels of as many
columns. They add in another order than the interpreter, so they are only within a tolerance of it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgec.codegen.registry import Const, Cost, Io, Step
from edgec.pipeline.graph import Array, DType

_LANES = {"avx512": 16, "avx2": 8, "neon": 4}
FEATURES = frozenset(_LANES)
_NARROWEST = 8


def lanes(features: frozenset[str]) -> int:
    """Return the lanes of a vector on a machine with these features; 0 without a vector unit."""
    return next((count for name, count in _LANES.items() if name in features), 0)


def panel_width(features: frozenset[str], columns: int) -> int:
    """Return how wide to make the panels of so many columns.

    A panel is two vectors, or one where the second would stay empty.
    """
    lane = lanes(features)
    if lane > _NARROWEST and columns <= _NARROWEST:
        return _NARROWEST
    narrow = max(lane, _NARROWEST)
    return min((2 * lane, narrow), key=lambda width: (-(-columns // width) * width, -width))


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


def element_variants(io: Io, features: frozenset[str], step: Step) -> tuple[Step, ...]:
    """Return the vector twin of a kernel that takes the same parameters."""
    if not usable(io, features):
        return ()
    kernel = f"{step.kernel}_vector"
    cost = Cost(io.y.size // 4 + 1, 0)
    return (replace(step, kernel=kernel, cost=cost),)
