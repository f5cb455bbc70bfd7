"""One module an op: how to draw a random legal instance of it.

Each module has
- `BUILTIN`: the op's TFLite name;
- `DTYPES`: what it is tested in, "int8" and "float32" unless the op has only one;
- `ULPS`: how far float32 C may be from the reference interpreter, 0 where the sums are the same;
- `add(draw, model, dtype)`: add inputs, constants, one op and outputs to a `FlatModel`, every
  free choice (shape, stride, padding, scale, zero point…) made by `draw(strategy)`.
Optional: `RUNS`, how many inferences follow each other (recurrent ops), default 1; `RESOLVER`,
LiteRT's kernels to compare with where `BUILTIN_REF` lacks the op.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import ModuleType

import numpy as np
from hypothesis import strategies as st


@cache
def case_modules() -> dict[str, ModuleType]:
    """Return the case modules by builtin name."""
    modules = [
        importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)
    ]
    return {m.BUILTIN: m for m in modules}


SCALES = st.floats(1e-3, 0.5).map(lambda s: float(np.float32(s)))
ZERO_POINTS = st.one_of(st.integers(-128, 127), st.sampled_from((-128, 0, 127)))
SEEDS = st.integers(0, 2**32 - 1)


def quant(draw, dtype: str) -> tuple:
    """Return (scale, zero_point) to pass on to `FlatModel.tensor`, () for float32."""
    return (draw(SCALES), draw(ZERO_POINTS)) if dtype == "int8" else ()


def shapes(min_dims: int = 1, max_dims: int = 4, max_side: int = 7) -> st.SearchStrategy:
    """Return a strategy for shapes."""
    sides = st.integers(1, max_side)
    return st.lists(sides, min_size=min_dims, max_size=max_dims).map(tuple)


def random_array(draw, shape, dtype: str, low: float = -1.0, high: float = 1.0) -> np.ndarray:
    """Return constant data: uniform floats, or integers over the type (int32: low..high)."""
    rng = np.random.default_rng(draw(SEEDS))
    if dtype == "float32":
        return rng.uniform(low, high, shape).astype(np.float32)
    if dtype == "int8":
        return rng.integers(-127, 128, shape).astype(np.int8)
    return rng.integers(int(low), int(high) + 1, shape).astype(dtype)
