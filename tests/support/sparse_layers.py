"""Random weights of few values or of many zeros, as clustering and pruning leave them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

from tests.support.cases import SEEDS
from tests.support.dsp_layers import add_conv, add_fully_connected


def packed_weights(draw, shape: tuple[int, ...], scales: list[float]) -> np.ndarray:
    """Return weights of one of the kinds below, of any sparsity."""
    rng = np.random.default_rng(draw(SEEDS))
    make = draw(st.sampled_from(KINDS))
    rows = make(rng, (shape[0], int(np.prod(shape[1:]))), np.resize(scales, shape[0]))
    return np.clip(rows, -128, 127).astype(np.int8).reshape(shape)


def _any(rng, shape, scales) -> np.ndarray:
    return rng.integers(-128, 128, shape)


def _few_values(rng, shape, scales) -> np.ndarray:
    return rng.choice(rng.integers(-128, 128, rng.integers(1, 19)), shape)


def _few_real_values(rng, shape, scales) -> np.ndarray:
    """A cluster of real weights, at most 17, divided by the scales of the channels."""
    reals = rng.normal(0, 60, rng.integers(1, 18)) * np.median(scales)
    if rng.integers(0, 2):
        reals[0] = 0.0
    return np.rint(np.clip(rng.choice(reals, shape) / scales[:, None], -127, 127))


def _zeros(rng, shape, scales) -> np.ndarray:
    return _any(rng, shape, scales) * (rng.random(shape) < rng.choice([0.02, 0.2, 0.5, 0.8]))


def _two_of_four(rng, shape, scales) -> np.ndarray:
    return _any(rng, shape, scales) * (rng.permuted(np.arange(shape[1]) % 4 // 2)[None])


def _blocks(high: int, wide: int) -> Callable[..., np.ndarray]:
    def make(rng, shape, scales) -> np.ndarray:
        grid = rng.random((-(-shape[0] // high), -(-shape[1] // wide)))
        kept = np.kron(grid < rng.choice([0.05, 0.3, 0.6, 0.9]), np.ones((high, wide)))
        return _any(rng, shape, scales) * kept[: shape[0], : shape[1]]

    return make


def _few_values_and_zeros(rng, shape, scales) -> np.ndarray:
    return _few_real_values(rng, shape, scales) * (rng.random(shape) < 0.5)


def _some_rows(rng, shape, scales) -> np.ndarray:
    """Whole output channels of zeros, sometimes all."""
    return _any(rng, shape, scales) * (rng.random(shape[0]) < rng.choice([0.0, 0.5]))[:, None]


KINDS = (
    _any, _few_values, _few_values, _few_real_values, _few_real_values, _zeros, _two_of_four,
    _few_values_and_zeros, _some_rows, _blocks(4, 1), _blocks(4, 4), _blocks(1, 4), _blocks(1, 300),
)  # fmt: skip


def add_packed_conv(draw, model, sides: tuple[int, int]) -> None:
    """Add a convolution with such weights."""
    add_conv(draw, model, sides, weights=packed_weights)


def add_packed_fully_connected(draw, model) -> None:
    """Add a dense layer with such weights."""
    add_fully_connected(draw, model, largest=draw(st.sampled_from((12, 70, 700))),
                        weights=packed_weights)  # fmt: skip
