"""Depthwise int8 products for NEON, AVX2 and AVX-512: when the kernel applies, and its packing.

The kernel is `edgec_depthwise_conv_2d_int8_vector`; its header describes the layout, which is that
of the CPU's vectors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgec.codegen import products
from edgec.codegen.quantmath import activation_range
from edgec.codegen.registry import Const, Cost, Io, Step
from edgec.codegen.vector_image import LANES, Image, Rescaling, channel_sets, ends
from edgec.codegen.window import Window
from edgec.pipeline.graph import Activation, Array

_QUAD = 4


@dataclass(frozen=True, slots=True)
class Layout:
    """How many units of 16 channels a group has, and whether its weights lie tap by tap."""

    units: int
    planar: bool = False

    @staticmethod
    def of(features: frozenset[str]) -> Layout:
        """Return the layout that the vectors of a CPU want."""
        if {"avx512", "vnni"} <= features:
            return Layout(4)
        if "avx2" in features:
            return Layout(2)
        return Layout(1, planar="dotprod" not in features)

    @property
    def lanes(self) -> int:
        """Channels of a group."""
        return LANES * self.units

    def order(self) -> Array:
        """Return the channels of a group in the order of their lanes."""
        places = np.arange(self.lanes).reshape(self.units, LANES // _QUAD, _QUAD)
        return places.transpose(1, 0, 2).reshape(-1)


def step(io: Io, window: Window, activation: Activation, features: frozenset[str]) -> Step | None:
    """Return the call of the kernel for this layer, None where it does not apply."""
    weights, channels = io.input(1).values, io.x.shape[3]
    if weights.shape[3] != channels or weights.min(initial=0) == -128:
        return None
    layout = Layout.of(features)
    planes = window.stride[1] if channels < layout.lanes else 1
    image = Image.of(io.x, io.y, window, planes=planes)
    joined = _joined(io.y.shape[2], channels, layout) if image.step == channels else 1
    taps = weights.reshape(-1, channels)
    fields = _fields(io, taps)
    if fields is None:
        return None
    groups = -(-joined * channels // layout.lanes)
    quads = -(-len(taps) // _QUAD)
    offsets = [image.offset(i, j) for i in range(window.kernel[0]) for j in range(window.kernel[1])]
    offsets += [offsets[-1]] * (-len(taps) % _QUAD)
    packed = _packed(np.tile(taps, (1, joined)), groups, layout)
    order = layout.order()
    tiled = _filled(np.tile(fields, (joined, 1)), groups * layout.lanes)
    sets = channel_sets(tiled.reshape(groups, -1, 5)[:, order].reshape(-1, 5))
    low, high = activation_range(activation, io.y)
    turns = io.y.size // (io.y.shape[2] * channels) * -(-io.y.shape[2] // joined) * groups
    return Step(
        "edgec_depthwise_conv_2d_int8_vector",
        {
            **image.fields(io.x),
            "weights": Const(packed, "(groups, quads, lanes, taps)"),
            "channels": Const(sets, "(groups, units, 5 fields, 16)"),
            "taps": Const(np.array(offsets, np.int32), "(quads, 4)"),
            "quads": quads,
            "units": layout.units,
            "planar": int(layout.planar),
            "batches": io.y.shape[0],
            "out_h": io.y.shape[1],
            "row_bytes": io.y.shape[2] * channels,
            "joined": joined * channels,
            "pixel_bytes": joined * image.step,
            **ends(low, high, single=False),
        },
        scratch_bytes=image.size(joined * channels + groups * layout.lanes),
        accesses=window.accesses(io.x, io.y, rows=image.rows),
        cost=Cost(
            100 + turns * (12 * quads + 15 * layout.units) + io.x.size // 16,
            packed.nbytes + sets.nbytes + 4 * len(offsets),
        ),
    )


def _fields(io: Io, taps: Array) -> Array | None:
    """Return the fields of every channel; None if it cannot be rescaled."""
    channels = taps.shape[1]
    mult = products.channel_multipliers(io.x, io.input(1), io.y, channels)
    starts = products.folded_bias(io.x, taps.T, io.optional(2))
    reach = products.row_reach(io.x, taps.T, io.optional(2))
    sums = taps.astype(np.int64).sum(axis=0)
    return Rescaling(starts, sums, reach, mult, io.y.q.zero_point).channels()


def _joined(out_w: int, channels: int, layout: Layout) -> int:
    """Return how many pixels of a row to count as one, so that few lanes stay empty."""

    def groups(pixels: int) -> int:
        return -(-out_w // pixels) * -(-pixels * channels // layout.lanes)

    most = max(min(out_w, 2 * layout.lanes // channels), 1)
    return min(range(1, most + 1), key=lambda pixels: (groups(pixels), pixels))


def _packed(taps: Array, groups: int, layout: Layout) -> Array:
    """Return the weights of every group, int8, from (taps, channels)."""
    more = -len(taps) % _QUAD, groups * layout.lanes - taps.shape[1]
    full = np.pad(taps, ((0, more[0]), (0, more[1]))).reshape(-1, _QUAD, groups, layout.lanes)
    lanes = full[..., layout.order()]  # (quads, taps, groups, lanes)
    by_group = lanes.transpose((2, 0, 1, 3) if layout.planar else (2, 0, 3, 1))
    return np.ascontiguousarray(by_group).astype(np.int8)


def _filled(fields: Array, count: int) -> Array:
    """Return the fields of `count` channels, the further ones rescaled to nothing."""
    nothing = np.tile(np.array([[0, 0, 0, 0, 1]], np.int32), (count - len(fields), 1))
    return np.concatenate([fields, nothing])
