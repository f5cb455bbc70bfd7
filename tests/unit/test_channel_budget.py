"""What may stay is split over groups of channels by fraction, by rank, or by sensitivity."""

from __future__ import annotations

import numpy as np
import pytest

from edgec.pipeline.compress.channel_budget import (
    Limits,
    Sensitivity,
    by_sensitivity,
    highest,
    ranked,
    uniform,
)
from edgec.pipeline.compress.channel_ranking import Group, rounded
from edgec.pipeline.compress.channel_units import FIXED, Channels, Units, moved_channels
from edgec.pipeline.errors import UsageError

WIDE = Group(("a", "b"), np.arange(1, 17))
NARROW = Group(("c",), np.arange(17, 25))
GROUPS = [WIDE, NARROW]


def limits(multiple: int = 1, least: float = 0.0, **layers: float) -> Limits:
    return Limits(layers, least, multiple, {g.name: len(g.roots) for g in GROUPS})


@pytest.mark.parametrize(
    ("count", "multiple", "most", "given"),
    [(8, 4, 16, 8), (6, 4, 16, 8), (5, 4, 16, 4), (0.2, 4, 16, 4), (1, 4, 3, 3), (2.6, 1, 9, 3)],
)
def test_counts_are_rounded_to_multiples(
    count: float, multiple: int, most: int, given: int
) -> None:
    assert rounded(count, multiple, most) == given


def test_each_group_keeps_the_same_share() -> None:
    assert uniform(GROUPS, limits())(0.5) == {"a+b": 8, "c": 4}
    assert uniform(GROUPS, limits(multiple=8))(0.5) == {"a+b": 8, "c": 8}


def test_limits_by_name_and_the_least_hold() -> None:
    assert uniform(GROUPS, limits(b=1.0))(0.25) == {"a+b": 16, "c": 2}
    assert uniform(GROUPS, limits(least=0.5))(0.25) == {"a+b": 8, "c": 4}
    with pytest.raises(UsageError, match="'x' matches no layer"):
        limits(x=0.5).check(GROUPS)


def test_one_ranking_takes_from_groups_with_weak_channels() -> None:
    score = np.ones(25)
    score[5:17] = 0.01
    counts = ranked(GROUPS, limits(), score)(0.5)
    assert counts == {"a+b": 4, "c": 8}


def test_sensitive_groups_keep_more() -> None:
    measured = {
        "a+b": Sensitivity((0.75, 0.5, 0.25), (0.0, 0.0, 0.1)),
        "c": Sensitivity((0.75, 0.5, 0.25), (0.1, 0.2, 0.4)),
    }
    ladder = by_sensitivity(GROUPS, limits(), measured)
    assert ladder(1.0) == {"a+b": 8, "c": 8}
    assert ladder(0.75) == {"a+b": 4, "c": 6}
    assert ladder(0.0) == {"a+b": 4, "c": 2}


def test_sensitivity_is_interpolated_and_taken_to_grow() -> None:
    curve = Sensitivity((0.75, 0.5, 0.25), (0.2, 0.1, 0.4))
    assert curve.smallest(0.1) == pytest.approx(0.875)
    assert curve.smallest(0.3) == pytest.approx(0.375)
    assert curve.smallest(1.0) == 0.25


def test_the_highest_level_within_the_limit_is_taken() -> None:
    ladder = uniform(GROUPS, limits())
    assert highest(ladder, lambda c: sum(c.values()), 12, "the sum") == {"a+b": 8, "c": 4}
    with pytest.raises(UsageError, match="the sum 1 cannot be reached, 2 is the least"):
        highest(ladder, lambda c: sum(c.values()), 1, "the sum")


def test_joined_units_have_one_root() -> None:
    units = Units()
    a, b, c = units.make(3), units.make(3), units.make(3)
    units.join(a, b)
    units.join(b, c[::-1])
    units.fix(c[:1])
    roots = units.roots()
    assert roots[a].tolist() == roots[b].tolist() == [1, 2, FIXED]
    assert roots[c].tolist() == [FIXED, 2, 1]


def test_moved_channels_are_found_along_their_axis() -> None:
    labels = Channels(3, np.arange(1, 5)).spread((1, 2, 3, 4))
    flat = moved_channels(labels.reshape(1, -1))
    assert flat is not None and flat.axis == 1 and flat.units.tolist() == [1, 2, 3, 4] * 6
    turned = moved_channels(labels.transpose(0, 3, 1, 2))
    assert turned is not None and turned.axis == 1 and turned.units.tolist() == [1, 2, 3, 4]
    assert moved_channels(labels.reshape(1, 6, 2, 2)) is None
