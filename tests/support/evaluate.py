"""Runs a graph by the numpy references of its ops."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgec.pipeline.graph import Graph
from edgec.pipeline.oracle import NumpyOracle


def run_numpy(graph: Graph, samples: Sequence[Sequence[np.ndarray]]) -> list[list[np.ndarray]]:
    """Return the outputs of each sample; for graphs without state."""
    oracle = NumpyOracle(graph)
    return [[np.asarray(value) for value in oracle.run(sample)] for sample in samples]
