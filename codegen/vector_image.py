"""What the kernels for vectors share: the image they read, and how int8 sums are rescaled.

Those of int8 are `edgec_*_int8_vector`, over `edgec_vector.h`: for NEON, AVX2 and AVX-512.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgec.codegen.registry import Value
from edgec.codegen.window import Window
from edgec.pipeline.graph import Array, Tensor

LANES = 16
"""Channels of a set."""
QUAD = 4
"""Products of a channel that vectors make at a time."""
SLACK = 64
"""Bytes beyond its end that may be written to the image, or read from it."""
STRIP_BYTES = 32 * 1024
"""About how large the image of a strip is: it should stay in the first cache."""
_MOST_SHIFT = 22


def has_vectors(features: frozenset[str]) -> bool:
    """Return whether a CPU has vectors that the kernels know."""
    return bool(features & {"neon", "avx2"})


@dataclass(frozen=True, slots=True)
class Image:
    """A strip of the padded input: the offset of every tap, and what to copy.

    Columns are dealt to `planes` in turn; `rows` are those of the output that a strip makes.
    """

    window: Window
    channels: int
    width: int
    planes: int
    rows: int

    @staticmethod
    def of(
        x: Tensor, y: Tensor, window: Window, *, planes: int = 1, strip_bytes: int = STRIP_BYTES
    ) -> Image:
        """Return the image of an input for a window that slides over it."""
        last = (y.shape[2] - 1) * window.stride[1] + (window.kernel[1] - 1) * window.dilation[1]
        width = max(window.before[1] + x.shape[2], last + 1)
        width = -(-width // planes) * planes
        channels = x.shape[3]
        fits = strip_bytes // (width * channels * x.dtype.size_bytes) - _reach(window)
        rows = max(fits // window.stride[0] + 1, 1)
        rows = min(rows - rows % 8 if rows > 8 else rows, y.shape[1])
        return Image(window, channels, width, planes, rows)

    @property
    def pitch(self) -> int:
        """Values of a row."""
        return self.width * self.channels

    @property
    def in_rows(self) -> int:
        """Rows of the input that a strip needs."""
        return (self.rows - 1) * self.window.stride[0] + self.reach

    @property
    def reach(self) -> int:
        """Rows of a window."""
        return _reach(self.window)

    @property
    def step(self) -> int:
        """Values from one window to the next."""
        return self.channels * (self.window.stride[1] if self.planes == 1 else 1)

    def offset(self, row: int, column: int) -> int:
        """Return where a tap of the window is, in values from the window's first."""
        x = column * self.window.dilation[1]
        plane = x % self.planes * (self.width // self.planes)
        at = row * self.window.dilation[0] * self.width + plane + x // self.planes
        return at * self.channels

    def size(self, beyond: int = 0) -> int:
        """Return the scratch memory of int8: `beyond` bytes may be read behind the image."""
        return self.in_rows * self.pitch + SLACK + beyond

    def fields(self, x: Tensor, prefix: str = "") -> dict[str, Value]:
        """Return the fields of `edgec_image`, and those that say how the window slides."""
        return {
            **dict(zip((f"{prefix}image.in_h", f"{prefix}image.in_w"), x.shape[1:3], strict=True)),
            f"{prefix}image.channels": self.channels,
            f"{prefix}image.pad_left": self.window.before[1],
            f"{prefix}image.width": self.width,
            f"{prefix}image.planes": self.planes,
            f"{prefix}image.zero_point": x.q.zero_point,
            f"{prefix}stride_h": self.window.stride[0],
            f"{prefix}pad_top": self.window.before[0],
            f"{prefix}reach": self.reach,
            f"{prefix}strip_rows": self.rows,
        }


def _reach(window: Window) -> int:
    return (window.kernel[0] - 1) * window.dilation[0] + 1


@dataclass(frozen=True, slots=True)
class Rescaling:
    """What the sums of a layer's channels start from, can reach, and are rescaled by.

    `reach` are the least and the greatest sum of each channel, `weight_sums` the sums of its
    weights, `multipliers` (channels, 2).
    """

    starts: Array
    weight_sums: Array
    reach: tuple[Array, Array]
    multipliers: Array
    zero_point: int

    def channels(self) -> Array | None:
        """Return the fields of every channel, int32 (channels, 5); None if it is not rescalable.

        All steps must stay within 32 bits, and sums be rescaled downwards.
        """
        factors = self.multipliers[:, 0]
        shifts = np.where(factors == 0, 1, -self.multipliers[:, 1])
        if shifts.min() < 1 or shifts.max() > _MOST_SHIFT:
            return None
        most = np.maximum(np.abs(self.reach[0]), np.abs(self.reach[1]))
        nudges = (2 * self.zero_point + 1) << (shifts - 1)
        high = (most * factors >> 31) + 2 + np.abs(nudges)
        offsets = 128 * self.weight_sums
        if most.max() >= 2**30 or high.max() >= 2**31 or np.abs(offsets).max() >= 2**30:
            return None
        fields = [self.starts, offsets, factors, nudges, shifts]
        return np.stack(fields, axis=1).astype(np.int32)


def set_quads(rows: Array) -> Array:
    """Return weights, (channels, runs, run), as int8 (sets, quads, 16, 4): runs are filled up."""
    more = ((0, -len(rows) % LANES), (0, 0), (0, -rows.shape[2] % QUAD))
    padded = np.pad(rows, more)
    quads = padded.reshape(-1, LANES, padded.shape[1] * padded.shape[2] // QUAD, QUAD)
    return np.ascontiguousarray(quads.transpose(0, 2, 1, 3)).astype(np.int8)


def channel_sets(fields: Array) -> Array:
    """Return the fields of channels as `edgec_channels16`, int32 (sets, 5, 16).

    Channels that fill up the last set are rescaled to nothing.
    """
    more = -len(fields) % LANES
    filled = np.concatenate([fields, np.tile(np.array([[0, 0, 0, 0, 1]], np.int32), (more, 1))])
    return np.ascontiguousarray(filled.reshape(-1, LANES, 5).transpose(0, 2, 1))


def ends(low: int, high: int, *, single: bool, prefix: str = "") -> dict[str, Value]:
    """Return the fields of `edgec_ends`."""
    return {
        f"{prefix}ends.out_min": low,
        f"{prefix}ends.out_max": high,
        f"{prefix}ends.single_rounding": int(single),
    }
