"""Dense layers of dynamic range, drawn at random."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.support.flatmodel import FlatModel


def add_hybrid(
    rng: np.random.Generator, model: FlatModel, sizes: tuple[int, int, int], zero: int = 0
) -> None:
    """Add a dense layer whose inputs span a few powers of ten, on both sides of zero or on one."""
    rows, inside, outside = sizes
    low, high = rng.choice([(-1, 1), (-3, 100), (0, 5), (-0.02, -0.01), (0, 0)])
    x = model.input((rows, inside), "float32", low=low, high=high)
    scales = rng.uniform(1e-3, 0.1, outside if rng.integers(2) else 1).astype(np.float32)
    data = rng.integers(-127, 128, (outside, inside))
    w = model.tensor((outside, inside), "int8", scales, zero, data=data)
    b = model.tensor((outside,), "float32", data=rng.normal(size=outside))
    y = model.output((rows, outside), "float32")
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = int(rng.choice([0, 0, 1]))
    options.asymmetricQuantizeInputs = bool(rng.integers(3))
    model.op("FULLY_CONNECTED", [x, w, b if rng.integers(3) else -1], [y], options, version=9)
