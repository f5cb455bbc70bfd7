"""Random runs of layers by stripes, in C under sanitizers: equal to the layers computed whole."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from edgec.codegen.stripes import Stripes
from tests.support.evaluate import run_numpy
from tests.support.hostc import run_host
from tests.support.random_layers import CORES
from tests.support.striped_chains import random_chains, striped

EXAMPLES = int(os.environ.get("EDGEC_EXAMPLES", "2"))


@pytest.mark.parametrize("core", CORES)
def test_stripes_of_any_height_equal_the_layers_whole(core: str, tmp_path: Path) -> None:
    for example in range(EXAMPLES):
        model, graph = random_chains(100 + example, 12)
        planned = striped(graph, CORES[core], example)
        assert sum(isinstance(op, Stripes) for op in planned[0].ops) >= 8
        samples = [model.draw_inputs(seed) for seed in (1, 2)]
        folder = tmp_path / str(example)
        folder.mkdir()
        got = run_host(graph, samples, folder, planned=planned)
        for mine, theirs in zip(got, run_numpy(graph, samples), strict=True):
            for chain, (a, b) in enumerate(zip(mine, theirs, strict=True)):
                assert np.array_equal(a, b), f"example {example}, chain {chain}"


@pytest.mark.parametrize("core", ["any core", "dsp"])
def test_an_input_given_by_rows_gives_the_same(core: str, tmp_path: Path) -> None:
    tried = 0
    for example in range(3 * EXAMPLES):
        model, graph = random_chains(500 + example, 1)
        planned = striped(graph, CORES[core], example, fetched=True)
        if not planned[1].fetched:
            continue
        tried += 1
        assert planned[1].inputs_at == (None,)
        folder = tmp_path / str(example)
        folder.mkdir()
        samples = [model.draw_inputs(seed) for seed in (1, 2)]
        got = run_host(graph, samples, folder, planned=planned)
        want = run_numpy(graph, samples)
        assert all(np.array_equal(a[0], b[0]) for a, b in zip(got, want, strict=True))
    assert tried
