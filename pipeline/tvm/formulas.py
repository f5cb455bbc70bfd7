"""Which ops TVM computes, and as what: tensor expressions with the arithmetic of our references.

A formula's constants are laid out here, with numpy; only its `compute` needs TVM. Integer ops are
written out with their rescaling, so that they answer exactly as every other kernel does. An op
without a formula keeps its own kernel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgec.codegen import products
from edgec.codegen.hybrid_dense import is_hybrid
from edgec.codegen.ops.add import Add
from edgec.codegen.ops.average_pool_2d import AveragePool2D
from edgec.codegen.ops.batch_matmul import BatchMatMul
from edgec.codegen.ops.conv_2d import Conv2D
from edgec.codegen.ops.depthwise_conv_2d import DepthwiseConv2D
from edgec.codegen.ops.fully_connected import FullyConnected
from edgec.codegen.ops.max_pool_2d import MaxPool2D
from edgec.codegen.ops.mul import Mul
from edgec.codegen.ops.sub import Sub
from edgec.codegen.quantmath import activation_range
from edgec.codegen.registry import Io, KernelOp
from edgec.pipeline.graph import Array, DType
from edgec.pipeline.tvm import expressions
from edgec.pipeline.tvm.expressions import Tensors


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """How TVM computes an op: `compute` takes the op's first `inputs` inputs, then the constants.

    `elementwise` is one whose output elements each come from one element of every input that has
    the output's shape: it can be computed on the way out of the op before.
    """

    inputs: int
    constants: tuple[Array, ...]
    compute: Callable[..., Any]
    elementwise: bool = False


def formula_of(op: KernelOp, io: Io) -> Formula | None:
    """Return the formula of an op; None for one that keeps its kernel."""
    make = _FORMULAS.get(type(op))
    if make is None or any(t.dtype not in (DType.INT8, DType.FLOAT32) for t in io.outputs):
        return None
    return make(op, io)


def _conv(op: Conv2D, io: Io) -> Formula | None:
    weights = io.input(1)
    if weights.shape[3] != io.x.shape[3]:
        return None  # groups
    taps = expressions.panels(weights.values.transpose(1, 2, 3, 0))
    rows = weights.values.reshape(weights.shape[0], -1)
    return _product(op, io, taps, rows, expressions.conv)


def _depthwise(op: DepthwiseConv2D, io: Io) -> Formula | None:
    values = io.input(1).values[0]
    rows = values.reshape(-1, values.shape[2]).T
    return _product(op, io, values, rows, expressions.depthwise)


def _product(
    op: Conv2D | DepthwiseConv2D, io: Io, taps: Array, rows: Array, sums: Callable[..., Any]
) -> Formula:
    """Return padded windows times weights, then bias and clamp, or rescaling."""
    border = io.x.q.zero_point if io.x.dtype is DType.INT8 else 0
    window = op.window
    finish, ends = _ending(op, io, rows)

    def compute(x: Any, weights: Any, *rest: Any) -> Any:
        padded = expressions.pad(x, window.before, window.after, border)
        return finish(sums(padded, weights, window, io.y.shape), *rest)

    return Formula(1, (np.ascontiguousarray(taps), *ends), compute)


def _dense(op: FullyConnected, io: Io) -> Formula | None:
    weights = io.input(1)
    if is_hybrid(io):
        return None
    if io.x.dtype is DType.INT8 and op.kernel_multipliers(io) is None:
        return None  # rescaled in float64
    finish, ends = _ending(op, io, weights.values)

    def compute(x: Any, columns: Any, *rest: Any) -> Any:
        return finish(expressions.dense(x, columns, io.y.shape), *rest)

    columns = np.ascontiguousarray(expressions.panels(weights.values.T))
    return Formula(1, (columns, *ends), compute)


def _ending(
    op: Conv2D | DepthwiseConv2D | FullyConnected, io: Io, rows: Array
) -> tuple[Callable[..., Any], Tensors]:
    """Return what makes outputs of sums, and the constants it takes; `rows` are per channel."""
    if io.x.dtype is DType.FLOAT32:
        bias = products.bias_values(io.optional(2), len(rows)).astype(np.float32)
        bounds = op.activation.bounds
        return lambda acc, b: expressions.biased(acc, b, bounds), (bias,)
    bias = products.folded_bias(io.x, rows, io.optional(2)).astype(np.int32)
    if isinstance(op, FullyConnected):
        pairs = op.kernel_multipliers(io)
        assert pairs is not None
        single = op.rounding.value == "tflite"
    else:
        pairs = products.channel_multipliers(io.x, io.input(1), io.y, len(rows))
        single = False
    reach = np.maximum(*np.abs(products.row_reach(io.x, rows, io.optional(2))))
    clamp = activation_range(op.activation, io.y)
    scale = expressions.Scale.of(pairs, reach, io.y, clamp, single=single)
    multiplier = pairs[:, 0].astype(np.int32)
    shifts = () if scale.shift is not None else (pairs[:, 1].astype(np.int32),)
    return scale.rescaled, (bias, multiplier, *shifts)


def _pool(op: MaxPool2D | AveragePool2D, io: Io) -> Formula | None:
    window = op.window
    real = io.x.dtype is DType.FLOAT32
    bounds = op.activation.bounds if real else activation_range(op.activation, io.y)
    if isinstance(op, MaxPool2D):
        least = float(np.finfo(np.float32).min) if real else io.x.dtype.range[0]

        def largest(x: Any) -> Any:
            padded = expressions.pad(x, window.before, window.after, least)
            return expressions.largest(padded, window, io.y.shape, bounds)

        return Formula(1, (), largest)
    inside = window.taps(np.ones((1, *io.x.shape[1:3], 1)), 0).sum(axis=(3, 4))[0, :, :, 0]
    counts = inside.astype(np.float32 if real else np.int32)

    def mean(x: Any, count: Any) -> Any:
        padded = expressions.pad(x, window.before, window.after, 0)
        return expressions.mean(padded, count, window, io.y, bounds)

    return Formula(1, (counts,), mean)


def _float_binary(op: Add | Sub | Mul, io: Io) -> Formula | None:
    if io.x.dtype is not DType.FLOAT32:
        return None
    symbol, bounds = {Add: "+", Sub: "-", Mul: "*"}[type(op)], op.activation.bounds

    def compute(a: Any, b: Any) -> Any:
        return expressions.binary(symbol, a, b, io.y.shape, bounds)

    return Formula(2, (), compute, elementwise=_not_broadcast(io))


def _not_broadcast(io: Io) -> bool:
    return math.prod(io.x.shape) == math.prod(io.y.shape) or io.input(1).shape == io.y.shape


def _matmul(op: BatchMatMul, io: Io) -> Formula | None:
    if io.x.dtype is not DType.FLOAT32:
        return None

    def compute(a: Any, b: Any) -> Any:
        return expressions.matmul(a, b, io.y.shape, op.adj_x, op.adj_y)

    return Formula(2, (), compute)


_FORMULAS: Mapping[type[KernelOp], Callable[[Any, Io], Formula | None]] = {
    Add: _float_binary,
    AveragePool2D: _pool,
    BatchMatMul: _matmul,
    Conv2D: _conv,
    DepthwiseConv2D: _depthwise,
    FullyConnected: _dense,
    MaxPool2D: _pool,
    Mul: _float_binary,
    Sub: _float_binary,
}
