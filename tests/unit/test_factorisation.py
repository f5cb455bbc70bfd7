"""Filters split by singular values compute the same where all ranks are kept, and lose the least
where they are not."""

from __future__ import annotations

import numpy as np
import pytest

from edgec.pipeline.compress.factorisation import Factors, Moments, Scheme, depthwise_pair, factors


def random_filter(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape)


def joined(first: np.ndarray, second: np.ndarray, scheme: Scheme) -> np.ndarray:
    """The filter that two after each other are."""
    if first.ndim == 2:
        return first @ second
    if scheme == "channel":
        return np.einsum("...ir,ro->...io", first, second.reshape(second.shape[-2:]))
    return np.einsum("hir,wro->hwio", first[:, 0], second[0])


@pytest.mark.parametrize(
    ("shape", "scheme"),
    [
        ((6, 9), "channel"),
        ((5, 4, 7), "channel"),
        ((3, 3, 4, 5), "channel"),
        ((3, 5, 4, 5), "spatial"),
    ],
)
def test_all_ranks_give_the_filter_back(shape: tuple[int, ...], scheme: Scheme) -> None:
    kernel = random_filter(*shape)
    made = factors(kernel, scheme)
    rank = len(made.values)
    assert made.energy(rank) == pytest.approx(1)
    np.testing.assert_allclose(joined(*made.pair(rank), scheme), kernel, atol=1e-9)


@pytest.mark.parametrize("scheme", ["channel", "spatial"])
def test_the_energy_is_what_the_rest_does_not_hold(scheme: Scheme) -> None:
    kernel = random_filter(3, 3, 4, 6)
    made = factors(kernel, scheme)
    for rank in (1, 3, 5):
        lost = np.sum((kernel - joined(*made.pair(rank), scheme)) ** 2) / np.sum(kernel**2)
        assert made.energy(rank) == pytest.approx(1 - lost)
        assert made.rank_for(made.energy(rank)) == rank
        assert made.rank_for(made.energy(rank) + 1e-6) == rank + 1


def test_a_filter_of_zeros_has_rank_one() -> None:
    made = factors(np.zeros((4, 4)), "channel")
    assert (made.rank_for(0.9), made.energy(1)) == (1, 1.0)


def test_moments_make_the_error_of_the_outputs_the_least() -> None:
    rng = np.random.default_rng(0)
    kernel = rng.standard_normal((8, 6))
    inputs = rng.standard_normal((500, 8)) * np.geomspace(1, 0.01, 8) + 3
    outputs = inputs @ kernel
    moments = Moments(outputs.T @ outputs / 500, outputs.mean(axis=0))

    def lost(made: Factors, rank: int) -> float:
        first, second = made.pair(rank)
        return float(np.mean((inputs @ first @ second + made.bias_shift(rank) - outputs) ** 2))

    by_weights, by_outputs = factors(kernel, "channel"), factors(kernel, "channel", moments)
    centred = factors(kernel, "channel", moments, centred=True)
    for rank in (1, 2, 4):
        assert lost(centred, rank) < lost(by_outputs, rank) < lost(by_weights, rank)
        share = lost(centred, rank) / np.mean(np.var(outputs, axis=0))
        assert centred.energy(rank) == pytest.approx(1 - share)


def test_a_separable_filter_is_found_again() -> None:
    depthwise, pointwise = random_filter(3, 3, 4, 1), random_filter(1, 1, 4, 6)
    kernel = np.einsum("hwim,io->hwio", depthwise, pointwise[0, 0])
    first, second, energy = depthwise_pair(kernel, 1)
    assert energy == pytest.approx(1)
    np.testing.assert_allclose(np.einsum("hwim,io->hwio", first, second[0, 0]), kernel, atol=1e-9)


def test_more_depthwise_filters_hold_more() -> None:
    kernel = random_filter(3, 3, 4, 6)
    energies = [depthwise_pair(kernel, multiplier)[2] for multiplier in (1, 2, 6)]
    assert energies == sorted(energies)
    assert energies[-1] == pytest.approx(1)
    first, second, _ = depthwise_pair(kernel, 6)
    spread = np.einsum("hwim,imo->hwio", first, second.reshape(4, 6, 6))
    np.testing.assert_allclose(spread, kernel, atol=1e-9)
