"""The search over kernels finds what trying every combination of options finds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from edgec.codegen import kernel_search
from edgec.codegen.kernel_search import (
    Code,
    Layers,
    Option,
    cheapest,
    fastest,
    fastest_within,
    smallest,
    total_bytes,
)


def problem(seed: int, kernels: int = 5, layers: int = 5) -> tuple[Layers, Code]:
    """Layers with one to four options each, and kernels that share sections of code."""
    rng = np.random.default_rng(seed)
    names = [f"k{i}" for i in range(kernels)]
    sizes = {f"s{i}": int(rng.integers(10, 400)) for i in range(2 * kernels)}
    code = {
        name: {s: sizes[s] for s in rng.choice(list(sizes), int(rng.integers(1, 4)), False)}
        for name in names
    }
    made = [
        [
            Option(str(k), int(rng.integers(100, 9999)), int(rng.integers(0, 500)))
            for k in rng.choice(names, int(rng.integers(1, 5)))
        ]
        for _ in range(layers)
    ]
    return made, code


def instructions(layers: Layers, choice: tuple[int, ...] | list[int]) -> int:
    return sum(layer[n].instructions for layer, n in zip(layers, choice, strict=True))


def every(layers: Layers) -> list[list[int]]:
    return [list(c) for c in itertools.product(*(range(len(layer)) for layer in layers))]


@pytest.mark.parametrize("seed", range(40))
def test_smallest_is_the_least_flash_and_then_the_fewest_instructions(seed: int) -> None:
    layers, code = problem(seed)
    want = min((total_bytes(layers, code, c), instructions(layers, c)) for c in every(layers))
    got = smallest(layers, code)
    assert (total_bytes(layers, code, got), instructions(layers, got)) == want


@pytest.mark.parametrize("seed", range(20))
def test_fastest_is_the_fewest_instructions_and_then_the_least_flash(seed: int) -> None:
    layers, code = problem(seed)
    want = min((instructions(layers, c), total_bytes(layers, code, c)) for c in every(layers))
    got = fastest(layers, code)
    assert (instructions(layers, got), total_bytes(layers, code, got)) == want


@pytest.mark.parametrize("price", [0.1, 3.0, 40.0])
def test_flash_is_traded_at_its_price(price: float) -> None:
    for seed in range(20):
        layers, code = problem(seed)
        costs = [
            instructions(layers, c) + price * total_bytes(layers, code, c) for c in every(layers)
        ]
        got = cheapest(layers, code, price)
        cost = instructions(layers, got) + price * total_bytes(layers, code, got)
        assert cost == pytest.approx(min(costs))


def test_a_limit_is_kept_and_what_is_left_is_spent() -> None:
    """Close to the best there is: not always the best, as this is a knapsack."""
    shares = []
    for seed in range(40):
        layers, code = problem(seed)
        trials = [(total_bytes(layers, code, c), instructions(layers, c)) for c in every(layers)]
        limit = (min(trials)[0] + max(trials)[0]) // 2
        got = fastest_within(layers, code, limit)
        assert total_bytes(layers, code, got) <= limit
        best = min(taken for size, taken in trials if size <= limit)
        shares.append(best / instructions(layers, got))
    assert min(shares) > 0.85
    assert sum(shares) / len(shares) > 0.99


def test_what_fits_no_limit_is_the_smallest() -> None:
    layers, code = problem(1)
    assert fastest_within(layers, code, 1) == smallest(layers, code)


def test_many_kernels_are_tried_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    layers, code = problem(3, kernels=9, layers=8)
    want = total_bytes(layers, code, smallest(layers, code))
    monkeypatch.setattr(kernel_search, "MOST_TRIED", 4)
    assert total_bytes(layers, code, smallest(layers, code)) <= 1.05 * want
