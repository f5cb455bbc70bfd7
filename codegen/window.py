"""Geometry of a sliding window over height and width: convolution and pooling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgec.codegen.registry import Accesses
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array, Tensor

Pair = tuple[int, int]
_MOST = 32767


def height_width(shape: tuple[int, ...]) -> Pair:
    """Return (height, width) of a (batch, height, width, channels) shape.

    Shapes of another rank give (1, 1): the op's constraints, checked later, refuse them.
    """
    return (shape[1], shape[2]) if len(shape) == 4 else (1, 1)


@dataclass(frozen=True, slots=True)
class Window:
    """A window's size, step and explicit padding, each (height, width).

    `before` is the padding at top and left, `after` at bottom and right.
    """

    kernel: Pair
    stride: Pair
    dilation: Pair = (1, 1)
    before: Pair = (0, 0)
    after: Pair = (0, 0)

    @staticmethod
    def of_padding(
        padding: int, size: Pair, kernel: Pair, stride: Pair, dilation: Pair = (1, 1)
    ) -> Window:
        """Return the window of a TFLite padding code, 0 SAME or 1 VALID.

        Source: TFLite `kernels/padding.h`, ComputePaddingHeightWidth.
        """
        if min(*kernel, *stride, *dilation) < 1 or max(*kernel, *stride, *dilation) > _MOST:
            raise UnsupportedModelError(f"kernel, stride and dilation must be in 1..{_MOST}")
        if padding == 1:
            return Window(kernel, stride, dilation)
        if padding != 0:
            raise UnsupportedModelError(f"padding code {padding}, 0 (SAME) or 1 (VALID) wanted")
        total = [
            max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
            for n, k, s, d in zip(size, kernel, stride, dilation, strict=True)
        ]
        before = (total[0] // 2, total[1] // 2)
        if max(before) > _MOST:
            raise UnsupportedModelError(f"padding of {max(before)} pixels, over {_MOST}")
        return Window(
            kernel, stride, dilation, before, (total[0] - before[0], total[1] - before[1])
        )

    @property
    def padded(self) -> bool:
        """Whether the window ever reaches over the border."""
        return any((*self.before, *self.after))

    def output(self, size: Pair) -> Pair:
        """Return the output (height, width) for an input of `size`; not positive if too small."""
        high, wide = (
            (n + b + a - (k - 1) * d - 1) // s + 1
            for n, k, s, d, b, a in zip(
                size, self.kernel, self.stride, self.dilation, self.before, self.after, strict=True
            )
        )
        return high, wide

    @property
    def fields(self) -> dict[str, int]:
        """The window as the kernels' parameter structs name it."""
        return {
            "kernel_h": self.kernel[0],
            "kernel_w": self.kernel[1],
            "stride_h": self.stride[0],
            "stride_w": self.stride[1],
            "dilation_h": self.dilation[0],
            "dilation_w": self.dilation[1],
            "pad_top": self.before[0],
            "pad_left": self.before[1],
        }

    def accesses(self, x: Tensor, y: Tensor, rows: int = 1) -> Accesses:
        """Return which bytes a kernel touches that makes `rows` rows of the output at a time."""
        if self.kernel == self.stride == (1, 1) and not self.padded:
            return _pixel_accesses(x, y)
        return self.row_accesses(x, y, rows)

    def row_accesses(self, x: Tensor, y: Tensor, rows: int = 1) -> Accesses:
        """Return `accesses` of a kernel that makes whole rows, of single pixels too."""
        batches, high = y.shape[:2]
        in_row, out_row = x.size_bytes // batches // x.shape[1], y.size_bytes // batches // high
        reach = (self.kernel[0] - 1) * self.dilation[0] + 1
        stretches = []
        for batch in range(batches):
            for out in range(0, high, rows):
                end = min(out + rows, high)
                top = out * self.stride[0] - self.before[0]
                bottom = (end - 1) * self.stride[0] - self.before[0] + reach
                reads = range(
                    (batch * x.shape[1] + min(max(top, 0), x.shape[1])) * in_row,
                    (batch * x.shape[1] + min(max(bottom, 0), x.shape[1])) * in_row,
                )
                writes = range((batch * high + out) * out_row, (batch * high + end) * out_row)
                stretches.append((reads, writes))
        return tuple(stretches)

    def inside_share(self, x: Tensor, y: Tensor) -> float:
        """Return which part of the windows does not reach over the border."""
        share = 1.0
        for axis, starts in enumerate(self._starts(y)):
            most = x.shape[1 + axis] - (self.kernel[axis] - 1) * self.dilation[axis] - 1
            share *= sum(0 <= start <= most for start in starts) / len(starts)
        return share

    def taps_inside(self, x: Tensor, y: Tensor) -> int:
        """Return how many taps of all windows of one channel are inside the input."""
        count = y.shape[0]
        for axis, starts in enumerate(self._starts(y)):
            size, steps = x.shape[1 + axis], range(self.kernel[axis])
            step = self.dilation[axis]
            count *= sum(0 <= start + k * step < size for start in starts for k in steps)
        return count

    def _starts(self, y: Tensor) -> tuple[list[int], list[int]]:
        """Return the first input row of every output row, and the same of columns."""
        high, wide = (
            [n * self.stride[axis] - self.before[axis] for n in range(y.shape[1 + axis])]
            for axis in (0, 1)
        )
        return high, wide

    def taps(self, x: Array, fill: float) -> Array:
        """Return the windows of `x`, shape (batch, out_h, out_w, kh, kw, channels), border filled.

        `x` has shape (batch, height, width, channels).
        """
        high, wide = self.output((x.shape[1], x.shape[2]))
        pads = ((0, 0), *zip(self.before, self.after, strict=True), (0, 0))
        padded = np.pad(x, pads, constant_values=fill)
        (kh, kw), (sh, sw), (dh, dw) = self.kernel, self.stride, self.dilation
        rows = [
            [
                padded[:, i * dh : i * dh + sh * (high - 1) + 1 : sh,
                       j * dw : j * dw + sw * (wide - 1) + 1 : sw]
                for j in range(kw)
            ]
            for i in range(kh)
        ]  # fmt: skip
        return np.stack([np.stack(row, axis=3) for row in rows], axis=3)


_STRETCHES = 128
"""About how many stretches a pointwise layer is described by: the finer, the less memory."""


def _pixel_accesses(x: Tensor, y: Tensor) -> Accesses:
    """Return the accesses of a kernel that makes each pixel of one pixel, or two of two."""
    pixels = y.size // y.shape[-1]
    in_bytes, out_bytes = x.size_bytes // pixels, y.size_bytes // pixels
    at_once = 2 * -(-pixels // (2 * _STRETCHES))
    stretches = []
    for first in range(0, pixels, at_once):
        end = min(first + at_once, pixels)
        stretches.append(
            (range(first * in_bytes, end * in_bytes), range(first * out_bytes, end * out_bytes))
        )
    return tuple(stretches)
