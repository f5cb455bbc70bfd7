"""Exact rewrites of the graph, one a module, in the order they run."""

from __future__ import annotations

from edgec.pipeline.graph import Graph, check
from edgec.pipeline.passes import drop_unused, fold_constants
from edgec.targets.profile import Target

PASSES = (fold_constants.run, drop_unused.run)


def run_passes(graph: Graph, target: Target) -> Graph:
    """Return the graph after every pass, checked in between."""
    for run in PASSES:
        graph = check(run(graph, target))
    return graph
