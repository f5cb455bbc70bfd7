"""Where the pixels of a resized image come from."""

from __future__ import annotations

import numpy as np

from edgec.codegen import axes
from edgec.codegen.registry import Io, Node
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array


def read_size(node: Node) -> tuple[int, int]:
    """Return the new height and width, constant input 1."""
    high, wide = axes.integers(node, 1, "the new size", 2)
    if not (1 <= high <= 32767 and 1 <= wide <= 32767):
        raise UnsupportedModelError(f"new size {high} x {wide} is out of range")
    return high, wide


def sides(io: Io) -> dict[str, int]:
    """Return batches, height and width of input and output as the kernels name them."""
    return {
        "batches": io.x.shape[0],
        "in_h": io.x.shape[1],
        "in_w": io.x.shape[2],
        "out_h": io.y.shape[1],
        "out_w": io.y.shape[2],
    }


def nearest(size: int, out: int, align_corners: bool, half_pixel_centers: bool) -> Array:
    """Return the input position of every output position.

    Source: TFLite reference/resize_nearest_neighbor.h, GetNearestNeighbor, in float32.
    """
    corners = align_corners and out > 1
    scale = np.float32(size - corners) / np.float32(out - corners)
    offset = np.float32(0.5 if half_pixel_centers else 0.0)
    real = (np.arange(out, dtype=np.float32) + offset) * scale
    # all positions are positive, so rounding halves away from zero is rounding them up
    position = np.floor(real.astype(np.float64) + 0.5) if align_corners else np.floor(real)
    return np.clip(position, 0, size - 1).astype(np.int64)


def fixed(
    size: int, out: int, align_corners: bool, half_pixel_centers: bool
) -> tuple[Array, Array, Array]:
    """Return first, second and the second's share in 1/1024, for every output position.

    Source: TFLite reference/resize_bilinear.h, the int8 version.
    """
    corners = align_corners and out > 1
    steps = out - corners
    scale = (1024 * (size - corners) + steps // 2) // steps
    position = np.arange(out, dtype=np.int64) * scale
    if half_pixel_centers:
        position += scale // 2 - 512
    first = np.maximum(position, 0) // 1024
    second = np.minimum(np.maximum(position + 1023, 0) // 1024, size - 1)
    return first, second, position - 1024 * first


def floating(
    size: int, out: int, align_corners: bool, half_pixel_centers: bool
) -> tuple[Array, Array, Array]:
    """Return first, second and the second's share, for every output position.

    Source: TFLite reference/resize_bilinear.h, the float version, in float32.
    """
    corners = align_corners and out > 1
    scale = np.float32(size - corners) / np.float32(out - corners)
    position = np.arange(out, dtype=np.float32)
    half = np.float32(0.5)
    position = (position + half) * scale - half if half_pixel_centers else position * scale
    first = np.clip(np.floor(position).astype(np.int64), 0, size - 1)
    second = np.minimum(np.ceil(position).astype(np.int64), size - 1)
    return first, second, position - first.astype(np.float32)
