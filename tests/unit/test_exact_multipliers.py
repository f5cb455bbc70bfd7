"""Multipliers found for a row round every sum it can have as float64 does."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edgec.codegen.exact_multipliers import exact_multiplier, exact_multipliers
from edgec.codegen.quantmath import quantize_multiplier, requantize_real, requantize_single

FULL = (-128, 127)
SCALES = st.one_of(
    st.floats(2.0**-14, 4.0),
    st.builds(lambda n, e: n * 2.0**-e, st.integers(1, 63), st.integers(0, 14)),
)
ENDS = st.tuples(st.integers(-(2**17), 2**17), st.integers(-(2**17), 2**17))


@settings(deadline=None)
@given(SCALES, ENDS, st.integers(-128, 127))
@example(0.7, (0, 45), 0)
def test_every_sum_is_rounded_as_in_float64(scale: float, ends: tuple[int, int], zero: int) -> None:
    low, high = sorted(ends)
    results = (-128 - zero, 127 - zero)
    pair = exact_multiplier(scale, (low, high), results)
    sums = np.arange(low, high + 1)
    wanted = np.clip(requantize_real(sums, scale), *results)
    if pair is None:
        assert not allowed(sums, wanted, results)
        return
    assert 2**30 <= pair[0] < 2**31
    got = np.clip(requantize_single(sums, *pair), *results)
    assert np.array_equal(got, wanted)


def allowed(sums: np.ndarray, wanted: np.ndarray, results: tuple[int, int]) -> bool:
    """Whether a factor of 31 bits maps each sum to what is wanted, halves rounded up."""
    low, high = wanted > results[0], wanted < results[1]
    up, down = sums > 0, sums < 0
    least = np.concatenate(
        [(wanted - 0.5)[up & low] / sums[up & low], (wanted + 0.5)[down & high] / sums[down & high]]
    )
    most = np.concatenate(
        [(wanted + 0.5)[up & high] / sums[up & high], (wanted - 0.5)[down & low] / sums[down & low]]
    )
    return bool(least.max(initial=0.0) < most.min(initial=np.inf) * (1 - 2.0**-29))


def test_the_usual_multiplier_is_kept_where_it_is_exact() -> None:
    assert exact_multiplier(0.0123, (-9000, 9000), FULL) == quantize_multiplier(0.0123)


def test_halves_take_the_next_multiplier() -> None:
    # a power of two has halves below zero, which the kernels would round up
    assert exact_multiplier(2.0**-4, (-2000, 2000), FULL) == (2**30 + 1, -3)
    assert exact_multiplier(2.0**-4, (0, 2000), FULL) == (2**30, -3)


def test_scales_too_small_for_any_result_stay_zero() -> None:
    assert exact_multiplier(2.0**-40, (-(2**30), 2**30), FULL) == (0, 0)


def test_rows_of_one_scale_share_a_multiplier() -> None:
    scales, low, high = np.full(2, 2.0**-4), np.array([-2000, 0]), np.array([2000, 2000])
    pairs = exact_multipliers(scales, (low, high), FULL)
    assert pairs is not None
    assert pairs.tolist() == [[2**30 + 1, -3]] * 2


def test_some_rows_have_none() -> None:
    wide = (-(2**24), 2**24)
    rng = np.random.default_rng(1)
    scales = rng.uniform(2.0**-17, 2.0**-16, 300)
    pairs = [exact_multiplier(float(scale), wide, FULL) for scale in scales]
    assert None in pairs
    ends = np.full(len(scales), wide[0]), np.full(len(scales), wide[1])
    assert exact_multipliers(scales, ends, FULL) is None
