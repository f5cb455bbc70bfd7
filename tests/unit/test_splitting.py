"""Whatever the samples are, every one is in exactly one split, and what belongs together stays."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgec.pipeline.compress.splitting import Samples, divide, identical
from edgec.pipeline.errors import DataError

SHARE = st.sampled_from([0.0, 0.05, 0.2, 0.45])
SHARES = st.tuples(SHARE, SHARE).map(
    lambda pair: {n: s for n, s in zip(("validation", "test"), pair, strict=True) if s}
)


def samples(units: Any, **more: Any) -> Samples:
    count = len(units)
    return Samples("test", (np.zeros((count, 1)),), np.zeros(count), np.array(units), **more)


def divided(given_samples: Samples, *arguments: Any) -> dict[str, np.ndarray] | None:
    """Return the splits after checking that they hold each sample once; None where refused."""
    try:
        chosen = divide(given_samples, *arguments)
    except DataError as error:
        assert "leave none for" in error.message or "splits, one each" in error.message
        return None
    together = np.sort(np.concatenate(list(chosen.values())))
    assert np.array_equal(together, np.arange(len(given_samples.units)))
    assert all(len(indices) for indices in chosen.values())
    return chosen


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3)), min_size=1, max_size=80),
    SHARES,
    st.integers(0, 5),
)
def test_random_splits_keep_identical_samples_together(
    pairs: list[tuple[int, int]], shares: dict[str, float], seed: int
) -> None:
    units, strata = np.array(pairs).T
    chosen = divided(samples(units), "random", shares, strata, seed)
    if chosen is None:
        return
    found = [set(units[indices]) for indices in chosen.values()]
    assert sum(map(len, found)) == len(set(units))
    for value in set(strata):
        # A unit is of the class of its first sample, and of that class enough units go round.
        own = {u for u in set(units) if strata[np.flatnonzero(units == u)[0]] == value}
        if own:
            assert own & set(units[chosen["train"]])
        if len(own) > len(shares):
            assert all(own & part for part in found)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), SHARES, st.integers(0, 5))
def test_splits_by_group_keep_groups_together(
    groups: list[int], shares: dict[str, float], seed: int
) -> None:
    pytest.importorskip("sklearn")
    group = np.array(groups)
    chosen = divided(samples(np.arange(len(group)), group=group), "group", shares, group % 2, seed)
    if chosen is None:
        assert len(set(groups)) <= len(shares)
        return
    found = [set(group[indices]) for indices in chosen.values()]
    assert sum(map(len, found)) == len(set(groups))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-9, 99), min_size=1, max_size=60), SHARES)
def test_splits_by_time_are_in_order(times: list[int], shares: dict[str, float]) -> None:
    time = np.array(times)
    chosen = divided(samples(np.arange(len(time)), time=time), "time", shares, None, 0)
    if chosen is None:
        return
    order = [time[chosen[name]] for name in ("train", "validation", "test") if name in chosen]
    assert all(a.max() < b.min() for a, b in itertools.pairwise(order))


def test_identical_samples_are_recognised_across_parts_and_inputs() -> None:
    one = (np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]]), np.array([[0], [0], [1]]))
    other = (np.array([[3.0, 4.0]]), np.array([[0]]))
    first, second = identical([one, other])
    assert len(set(first)) == 3
    assert second[0] == first[1]
