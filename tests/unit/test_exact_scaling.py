"""Integer factors answer as float64 does, and counting finds every sum near a half."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from edgec.codegen import exact_scaling
from edgec.codegen.exact_scaling import exact_factor

SCALES = st.one_of(
    st.floats(2.0**-16, 0.2499),
    st.builds(lambda n, e: n * 2.0**-e, st.integers(1, 31), st.integers(8, 20)),
)


def in_float64(total: int, scale: float) -> int:
    value = float(total) * scale
    size = math.floor(abs(value)) + (abs(value) - math.floor(abs(value)) >= 0.5)
    return size if value >= 0 else -size


@given(
    st.integers(0, 60), st.integers(1, 50), st.integers(0, 99), st.integers(-99, 99)
)  # fmt: skip
def test_floor_sums_are_those_of_a_loop(count: int, modulus: int, step: int, offset: int) -> None:
    wanted = sum((step * i + offset) // modulus for i in range(count))
    assert exact_scaling._floor_sum(count, modulus, step, offset) == wanted


@given(SCALES, st.lists(st.integers(0, 32767), max_size=30))
def test_factors_round_as_float64_next_to_every_half(scale: float, halves: list[int]) -> None:
    most = 2**31 - 1
    factor = exact_factor(scale, most)
    if factor is None:
        return
    for half in halves:
        near = int((half + 0.5) / scale)
        for total in range(near - 1, near + 3):
            if total <= most:
                assert factor.rescale(total) == in_float64(total, scale)
                assert factor.rescale(-total) == in_float64(-total, scale)


def test_sums_near_a_half_are_found() -> None:
    # 0.1 as a double is above a tenth: 5 * 0.1 is just above a half, and rounds to it
    near = exact_scaling._near_halves(round(0.1 * 2**62), 62, 40)
    assert near is not None
    assert all(total % 10 == 5 for total in near)
    assert 5 in near


def test_scales_out_of_reach_have_no_factor() -> None:
    assert exact_factor(0.3, 1000) is None
    assert exact_factor(2.0**-40, 1000) is None
