"""One module an op: how to draw a random legal instance of it.

Each module has
- `BUILTIN`: the op's TFLite name;
- `DTYPES`: what it is tested in, of "int8", "int16" and "float32";
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
    if dtype == "int16":
        return (draw(SCALES) / 64, 0)
    return (draw(SCALES), draw(ZERO_POINTS)) if dtype == "int8" else ()


def product_ends(draw, dtype: str, products: int, out_ch: int) -> tuple[tuple, list, tuple, str]:
    """Return input quantisation, weight scales, output quantisation and bias type of a product."""
    scales = [draw(SCALES) for _ in range(out_ch if draw(st.booleans()) else 1)]
    if dtype == "int8":
        return quant(draw, dtype), scales, quant(draw, dtype), "int32"
    x = draw(SCALES) / 64
    spread = products**0.5 * 2.0 ** draw(st.floats(-2.0, 9.0))
    y = float(np.float32(x * max(scales) * spread))
    return (x, 0), scales, (y, 0), draw(st.sampled_from(("int64", "int64", "int32")))


def shapes(min_dims: int = 1, max_dims: int = 4, max_side: int = 7) -> st.SearchStrategy:
    """Return a strategy for shapes."""
    sides = st.integers(1, max_side)
    return st.lists(sides, min_size=min_dims, max_size=max_dims).map(tuple)


def random_array(draw, shape, dtype: str, low: float = -1.0, high: float = 1.0) -> np.ndarray:
    """Return constant data: uniform floats, or integers over the type (int32: low..high)."""
    rng = np.random.default_rng(draw(SEEDS))
    if dtype == "float32":
        return rng.uniform(low, high, shape).astype(np.float32)
    if dtype in ("int8", "int16"):
        most = np.iinfo(dtype).max
        return rng.integers(-most, most + 1, shape).astype(dtype)
    return rng.integers(int(low), int(high) + 1, shape).astype(dtype)
