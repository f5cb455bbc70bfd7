"""Tensor expressions that formulas are made of. Layouts are NHWC, filters have channels last.

TVM is imported by each function that needs it, for formulas are also read where it is not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgec.codegen.window import Pair, Window
from edgec.pipeline.graph import Array, DType, Tensor

Tensors = tuple[Array, ...]
Shape = tuple[int, ...]

_LARGE_BYTES = 1 << 18
"""From this size on weights come from beyond the caches of a core, each time anew."""
_PANEL, _LEAST_PANEL = 32, 8
"""Outputs of a panel: what a tile has at most on the widest vectors, and at least."""


def pad(x: Any, before: Pair, after: Pair, value: float) -> Any:
    """Return x with a border round height and width; x itself where there is none."""
    from tvm import te, tirx

    if not any((*before, *after)):
        return x
    n, high, wide, channels = (int(d) for d in x.shape)
    top, left = before

    def element(b: Any, i: Any, j: Any, c: Any) -> Any:
        inside = tirx.all(i >= top, i < high + top, j >= left, j < wide + left)
        border = tirx.const(value, x.dtype)
        return tirx.if_then_else(inside, x[b, i - top, j - left, c], border)

    shape = (n, high + top + after[0], wide + left + after[1], channels)
    return te.compute(shape, element, "padded")


def conv(x: Any, weights: Any, window: Window, shape: Shape) -> Any:
    """Return sums of products with (kh, kw, in_ch, out_ch), or panels of that."""
    from tvm import te

    axes = weights.shape[:3] if len(weights.shape) == 4 else weights.shape[1:4]
    high, wide, depth = (te.reduce_axis((0, int(d))) for d in axes)
    at = _pixel(window, high, wide)
    kind = _sum_type(x)

    def element(b: Any, i: Any, j: Any, c: Any) -> Any:
        y, z = at(i, j)
        weight = _of_panels(weights, high, wide, depth, c)
        product = x[b, y, z, depth].astype(kind) * weight.astype(kind)
        return te.sum(product, axis=[high, wide, depth])

    return te.compute(shape, element, "sums")


def depthwise(x: Any, weights: Any, window: Window, shape: Shape) -> Any:
    """Return sums of products of each channel with (kh, kw, channels)."""
    from tvm import te

    high, wide = (te.reduce_axis((0, int(d))) for d in weights.shape[:2])
    at, kind = _pixel(window, high, wide), _sum_type(x)
    multiplier = shape[3] // int(x.shape[3])

    def element(b: Any, i: Any, j: Any, c: Any) -> Any:
        y, z = at(i, j)
        source = c if multiplier == 1 else c // multiplier
        product = x[b, y, z, source].astype(kind) * weights[high, wide, c].astype(kind)
        return te.sum(product, axis=[high, wide])

    return te.compute(shape, element, "sums")


def dense(x: Any, columns: Any, shape: Shape) -> Any:
    """Return rows of x, whatever its shape, times (in_size, out_size), or panels of that."""
    from tvm import te

    size = int(columns.shape[0 if len(columns.shape) == 2 else 1])
    depth, kind = te.reduce_axis((0, size)), _sum_type(x)

    def element(*at: Any) -> Any:
        row: Any = 0
        for index, extent in zip(at[:-1], shape[:-1], strict=True):
            row = row * extent + index
        value = x(*_unravelled(x, row, depth, size)).astype(kind)
        return te.sum(value * _of_panels(columns, depth, at[-1]).astype(kind), axis=depth)

    return te.compute(shape, element, "sums")


def panels(weights: Array) -> Array:
    """Return (…, out_size) as it is, or where it is large as (out_size / n, …, n).

    What a tile of neighbouring outputs takes then follows each other in memory, which caches fetch
    ahead; from rows of all outputs each tile would take a few bytes out of every page.
    """
    size = weights.shape[-1]
    width = math.gcd(size, _PANEL)
    if weights.nbytes < _LARGE_BYTES or width < _LEAST_PANEL:
        return weights
    split = weights.reshape(*weights.shape[:-1], size // width, width)
    return np.ascontiguousarray(np.moveaxis(split, -2, 0))


def _of_panels(weights: Any, *at: Any) -> Any:
    """Return the weight at (…, out), whether or not the weights are panels."""
    *inner, c = at
    if len(weights.shape) == len(at):
        return weights(*at)
    width = int(weights.shape[-1])
    return weights(c // width, *inner, c % width)


def matmul(a: Any, b: Any, shape: Shape, adj_x: bool, adj_y: bool) -> Any:
    """Return products of matrices, their batches broadcast."""
    from tvm import te

    depth = te.reduce_axis((0, int(a.shape[-2 if adj_x else -1])))

    def element(*at: Any) -> Any:
        *batch, i, j = at
        left = (*_aligned(a, batch), *((depth, i) if adj_x else (i, depth)))
        right = (*_aligned(b, batch), *((j, depth) if adj_y else (depth, j)))
        return te.sum(a(*left) * b(*right), axis=depth)

    return te.compute(shape, element, "sums")


def largest(x: Any, window: Window, shape: Shape, bounds: tuple[float, float]) -> Any:
    """Return the greatest element of each window, clamped."""
    from tvm import te

    high, wide = (te.reduce_axis((0, k)) for k in window.kernel)
    at = _pixel(window, high, wide)

    def element(b: Any, i: Any, j: Any, c: Any) -> Any:
        return te.max(x[(b, *at(i, j), c)], axis=[high, wide])

    found = te.compute(shape, element, "sums")
    kind = _sum_type(x)

    def clamped(*i: Any) -> Any:
        return _clamped(found(*i).astype(kind), bounds).astype(x.dtype)

    return te.compute(shape, clamped, "out")


def mean(x: Any, count: Any, window: Window, y: Tensor, bounds: tuple[float, float]) -> Any:
    """Return the sum of each window over `count` (out_h, out_w), int8 halves away from zero."""
    from tvm import te, tirx

    high, wide = (te.reduce_axis((0, k)) for k in window.kernel)
    at, kind = _pixel(window, high, wide), _sum_type(x)

    def element(b: Any, i: Any, j: Any, c: Any) -> Any:
        return te.sum(x[(b, *at(i, j), c)].astype(kind), axis=[high, wide])

    total = te.compute(y.shape, element, "sums")

    def divided(b: Any, i: Any, j: Any, c: Any) -> Any:
        acc, number = total[b, i, j, c], count[i, j]
        if y.dtype is DType.FLOAT32:
            return _clamped(acc / number, bounds)
        half = number // 2
        nudged = tirx.Select(acc > 0, acc + half, acc - half)
        return _clamped(tirx.truncdiv(nudged, number), bounds).astype("int8")

    return te.compute(y.shape, divided, "out")


def biased(acc: Any, bias: Any, bounds: tuple[float, float]) -> Any:
    """Return sums with the bias of their channel, clamped."""
    from tvm import te

    return te.compute(acc.shape, lambda *i: _clamped(acc(*i) + bias[i[-1]], bounds), "out")


def binary(symbol: str, a: Any, b: Any, shape: Shape, bounds: tuple[float, float]) -> Any:
    """Return a sum, difference or product, broadcast and clamped."""
    from tvm import te

    functions: dict[str, Callable[[Any, Any], Any]] = {
        "+": lambda p, q: p + q,
        "-": lambda p, q: p - q,
        "*": lambda p, q: p * q,
    }

    def element(*i: Any) -> Any:
        return _clamped(functions[symbol](a(*_aligned_all(a, i)), b(*_aligned_all(b, i))), bounds)

    return te.compute(shape, element, "out")


@dataclass(frozen=True, slots=True)
class Scale:
    """How int32 sums become int8: by one rounding or two, the zero point and a clamp.

    `shift` is that of all channels, None where they differ. `left` says whether one is positive,
    `wide` that 32 bits are too few to round what was multiplied.
    """

    shift: int | None
    zero_point: int
    clamp: tuple[int, int]
    single: bool
    left: bool
    wide: bool

    @staticmethod
    def of(pairs: Array, reach: Array, y: Tensor, clamp: tuple[int, int], *, single: bool) -> Scale:
        """Return the scale of (multiplier, shift) rows, whose sums are up to `reach`."""
        shifts = pairs[:, 1]
        one = int(shifts[0]) if (shifts == shifts[0]).all() else None
        right = np.maximum(-shifts, 0)
        most = np.abs(reach).astype(np.float64) * pairs[:, 0] / 2**31 + 2.0**right
        wide = bool((most >= 2**30).any())
        return Scale(one, y.q.zero_point, clamp, single, bool((shifts > 0).any()), wide)

    def rescaled(self, acc: Any, bias: Any, multiplier: Any, shifts: Any = None) -> Any:
        """Return int8 of sums, their bias added, channels last."""
        from tvm import te

        def element(*i: Any) -> Any:
            value = acc(*i) + bias[i[-1]]
            shift = self.shift if shifts is None else shifts[i[-1]]
            round_off = _rescaled_once if self.single else self._rescaled_twice
            scaled = round_off(value, multiplier[i[-1]], shift)
            return _clamped(scaled + self.zero_point, self.clamp).astype("int8")

        return te.compute(acc.shape, element, "out")

    def _rescaled_twice(self, x: Any, multiplier: Any, shift: Any) -> Any:
        """Return `quantmath.requantize_double` of an int32, its parts written down once or twice.

        Halves are rounded away from zero: from a negative number as much as the last bit is taken
        off before the shift, unless nothing is shifted out.
        """
        from tvm import te, tirx

        if isinstance(shift, int):
            left, right = max(shift, 0), max(-shift, 0)
        else:
            left, right = te.max(shift, 0), te.max(-shift, 0)
        shifted = x << left if self.left else x
        high = (shifted.astype("int64") * _wide(multiplier) + _wide(1 << 30)) >> _wide(31)
        if isinstance(right, int) and right == 0:
            return high.astype("int32")
        kind, sign = ("int64", 63) if self.wide else ("int32", 31)
        high = high.astype(kind)
        one = tirx.const(1, kind)
        right = tirx.const(right, kind) if isinstance(right, int) else right.astype(kind)
        half = (one << right) >> one
        below = (high >> tirx.const(sign, kind)) & te.min(half, one)
        return ((high + half - below) >> right).astype("int32")


def _rescaled_once(x: Any, multiplier: Any, shift: Any) -> Any:
    """Return `quantmath.requantize_single` of an int32 whose result fits 32 bits."""
    total = _wide(31) - _wide(shift)
    half = _wide(1) << (total - _wide(1))
    return ((x.astype("int64") * _wide(multiplier) + half) >> total).astype("int32")


def _wide(value: Any) -> Any:
    from tvm import tirx

    return tirx.const(value, "int64") if isinstance(value, int) else value.astype("int64")


def _clamped(x: Any, bounds: tuple[float, float]) -> Any:
    """Return float32 clamped to floats, int32 to integers."""
    from tvm import te, tirx

    low, high = (tirx.const(b, "int32" if isinstance(b, int) else "float32") for b in bounds)
    if math.isfinite(bounds[0]):
        x = te.max(x, low)
    return te.min(x, high) if math.isfinite(bounds[1]) else x


def _pixel(window: Window, high: Any, wide: Any) -> Callable[[Any, Any], tuple[Any, Any]]:
    """Return where a tap of an output pixel's window is in the padded input."""
    (sh, sw), (dh, dw) = window.stride, window.dilation
    return lambda i, j: (i * sh + high * dh, j * sw + wide * dw)


def _sum_type(x: Any) -> str:
    return "int32" if x.dtype == "int8" else "float32"


def _aligned_all(x: Any, at: tuple[Any, ...]) -> list[Any]:
    """Return the element of a broadcast tensor that output element `at` is made of."""
    dims = [int(d) for d in x.shape]
    own = at[len(at) - len(dims) :]
    return [0 if size == 1 else index for index, size in zip(own, dims, strict=True)]


def _aligned(x: Any, batch: list[Any]) -> list[Any]:
    """Return the matrix of a broadcast batch."""
    dims = [int(d) for d in x.shape[:-2]]
    own = batch[len(batch) - len(dims) :]
    return [0 if size == 1 else index for index, size in zip(own, dims, strict=True)]


def _unravelled(x: Any, row: Any, depth: Any, size: int) -> list[Any]:
    """Return the element `depth` of row `row` of x, read as rows of `size` elements."""
    dims = [int(d) for d in x.shape]
    if dims[-1] == size:
        return [*_indices(row, dims[:-1]), depth]
    return _indices(row * size + depth, dims)


def _indices(flat: Any, dims: list[int]) -> list[Any]:
    """Return the indices of element number `flat` of a shape."""
    found: list[Any] = []
    for extent in reversed(dims):
        found.insert(0, 0 if extent == 1 else flat % extent)
        flat = flat // extent
    return found
