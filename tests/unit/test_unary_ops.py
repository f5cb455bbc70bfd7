"""What the functions of one tensor and the reductions refuse, and their fixed-point tables."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from edgec.codegen import lookup
from edgec.codegen.inverse_root import inverse_root
from edgec.codegen.logarithm import log_at_least_one
from edgec.codegen.ops.hard_swish import HardSwish
from edgec.codegen.ops.l2_normalization import L2Normalization
from edgec.codegen.ops.leaky_relu import LeakyRelu
from edgec.codegen.ops.logistic import Logistic
from edgec.codegen.ops.mean import Mean
from edgec.codegen.ops.quantize import Quantize
from edgec.codegen.ops.relu6 import Relu6
from edgec.codegen.ops.tanh import Tanh
from edgec.codegen.registry import Io, Node, kernel_ops, violation
from edgec.codegen.unary import Unary
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import DType, Quant, Rounding, Tensor


class NoOptions:
    """An option table in which every number is `number`."""

    def __init__(self, number: float = 0) -> None:
        self.number = number

    def int8(self, slot: int, default: int = 0) -> int:
        return int(self.number)

    def int32(self, slot: int, default: int = 0) -> int:
        return int(self.number)

    def boolean(self, slot: int, default: bool = False) -> bool:
        return bool(self.number)

    def float32(self, slot: int, default: float = 0.0) -> float:
        return float(self.number)

    def int32s(self, slot: int) -> tuple[int, ...]:
        return ()


def int8(name: str, shape: tuple[int, ...], scale: float, zero_point: int) -> Tensor:
    return Tensor(name, shape, DType.INT8, Quant((float(np.float32(scale)),), (zero_point,)))


def node(
    builtin: str,
    x: Tensor,
    y: Tensor,
    *more: Tensor,
    number: float = 0,
    rounding: Rounding = Rounding.TFLITE,
) -> Node:
    return Node(0, builtin, 1, NoOptions(number), (x, *more), (y,), rounding=rounding)


def axes(values: list[int], dtype: DType = DType.INT32) -> Tensor:
    data = np.array(values, dtype.numpy)
    return Tensor("axes", data.shape, dtype, data=data)


@pytest.mark.parametrize("values", [[3], [-4], [0, 2**31 - 1], [-(2**31)]])
def test_axes_out_of_range_are_refused(values: list[int]) -> None:
    x, y = int8("x", (2, 3, 4), 0.1, 0), int8("y", (2, 3), 0.1, 0)
    with pytest.raises(UnsupportedModelError, match="3 dimensions"):
        Mean.parse(node("MEAN", x, y, axes(values)))


def test_axes_that_are_computed_or_not_int32_are_refused() -> None:
    x, y = int8("x", (2, 3), 0.1, 0), int8("y", (2,), 0.1, 0)
    with pytest.raises(UnsupportedModelError, match="constant"):
        Mean.parse(node("MEAN", x, y, Tensor("axes", (1,), DType.INT32)))
    with pytest.raises(UnsupportedModelError, match="int32 wanted"):
        Mean.parse(node("MEAN", x, y, axes([1], DType.INT64)))
    with pytest.raises(UnsupportedModelError, match="missing"):
        Mean.parse(node("MEAN", x, y))


def test_a_declared_shape_that_is_not_the_reduced_one_is_a_violation() -> None:
    x, y = int8("x", (2, 3, 4), 0.1, 0), int8("y", (2, 3), 0.1, 0)
    op = Mean.parse(node("MEAN", x, y, axes([1])))
    assert violation(op, Io((x, axes([1])), (y,))) == (
        "output shapes [2, 3] declared, [2, 4] computed"
    )


def test_all_axes_reduce_to_a_scalar() -> None:
    x, y = int8("x", (2, 3, 4), 0.1, 0), int8("y", (), 0.1, 0)
    op = Mean.parse(node("MEAN", x, y, axes([0, -1, 1, 2])))
    assert op.axes == (0, 1, 2)
    assert violation(op, Io((x, axes([0])), (y,))) == ""


@pytest.mark.parametrize("alpha", [math.nan, math.inf, -math.inf])
def test_a_slope_that_is_not_finite_is_refused(alpha: float) -> None:
    x = int8("x", (4,), 0.1, 0)
    with pytest.raises(UnsupportedModelError, match="finite"):
        LeakyRelu.parse(node("LEAKY_RELU", x, x, number=alpha))


def test_a_fused_activation_of_l2_normalization_is_refused() -> None:
    x = int8("x", (4,), 1 / 128, 0)
    with pytest.raises(UnsupportedModelError, match="activation"):
        L2Normalization.parse(node("L2_NORMALIZATION", x, x, number=1))


def test_hard_swish_refuses_the_scales_that_the_source_refuses() -> None:
    x, y = int8("x", (4,), 1.0, 0), int8("y", (4,), 1 / 128, 0)
    op = HardSwish.parse(node("HARD_SWISH", x, y))
    assert violation(op, Io((x,), (y,)))
    op = HardSwish.parse(node("HARD_SWISH", x, int8("y", (4,), 1 / 127, 0)))
    assert violation(op, Io((x,), (int8("y", (4,), 1 / 127, 0),))) == ""


UNARY = sorted(name for name, cls in kernel_ops().items() if issubclass(cls, Unary))
EXTREMES = (1e-45, 1e-38, 1e-30, 1.0, 1e30, 3e38)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize("builtin", UNARY)
def test_extreme_scales_give_a_table_or_are_refused(builtin: str, rounding: Rounding) -> None:
    for x_scale, y_scale in itertools.product(EXTREMES, EXTREMES):
        x, y = int8("x", (4,), x_scale, -100), int8("y", (4,), y_scale, 3)
        op = kernel_ops()[builtin].parse(node(builtin, x, y, number=1, rounding=rounding))
        io = Io((x,), (y,))
        if not violation(op, io):
            assert isinstance(op, Unary)
            assert op.table(io).shape == (256,)


def test_quantize_between_equal_quantisations_is_a_view() -> None:
    x, y = int8("x", (4,), 0.1, 3), int8("y", (4,), 0.1, 3)
    op = Quantize.parse(node("QUANTIZE", x, y))
    assert op.lower(Io((x,), (y,))).view
    assert not op.lower(Io((x,), (int8("y", (4,), 0.1, 4),))).view


def test_relu6_of_the_tflm_profile_refuses_to_rescale() -> None:
    x, y = int8("x", (4,), 0.1, 0), int8("y", (4,), 0.2, 0)
    op = Relu6.parse(node("RELU6", x, y, rounding=Rounding.TFLM))
    assert violation(op, Io((x,), (y,)))
    assert violation(op, Io((x,), (x,))) == ""


@pytest.mark.parametrize("scale", [0.001, 0.02, 0.1, 0.7, 3.0])
@pytest.mark.parametrize("zero_point", [-128, 0, 13, 127])
def test_fixed_point_sigmoids_of_the_tflm_profile_are_right_to_one_step(
    scale: float, zero_point: int
) -> None:
    x = int8("x", (4,), scale, zero_point)
    real = x.q.scale * (lookup.codes(x) - zero_point)
    cases = (
        (Logistic, int8("y", (4,), 1 / 256, -128), 1 / (1 + np.exp(-np.maximum(real, -700)))),
        (Tanh, int8("y", (4,), 1 / 128, 0), np.tanh(real)),
    )
    for cls, y, want in cases:
        op = cls.parse(node(cls.builtin, x, y, rounding=Rounding.TFLM))
        exact = np.clip(want / y.q.scale + y.q.zero_point, -128, 127)
        assert np.abs(op.table(Io((x,), (y,))) - exact).max() <= 1


@pytest.mark.parametrize("value", [0, 1, 2, 3, 4, 255, 65025, 2**27 - 1, 2**29, 2**31 - 1])
def test_inverse_root_is_accurate(value: int) -> None:
    multiplier, shift = inverse_root(value)
    real = multiplier * 2.0 ** (shift - 31)
    assert math.isclose(real, 1 / math.sqrt(max(value, 1)), rel_tol=1e-4)


@pytest.mark.parametrize("value", [1.0, 1.001, 1.5, 2.0, math.e, 100.0, 4095.0])
def test_fixed_point_logarithm_is_accurate(value: float) -> None:
    got = log_at_least_one(round(value * 2**19)) / 2.0**26
    assert abs(got - math.log(value)) < 1e-5
