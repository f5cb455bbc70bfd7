"""The passes keep every byte of random networks between int16."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from edgec.pipeline.graph import check
from edgec.pipeline.load import tflite
from edgec.pipeline.passes import run_passes
from edgec.targets.profile import load_target
from tests.support.evaluate import run_numpy
from tests.support.hostc import run_host
from tests.support.int16_layers import extreme_samples
from tests.support.int16_networks import draw_network
from tests.support.oracle import run_litert

EXAMPLES = 20 * int(os.environ.get("EDGEC_EXAMPLES", "2"))
QUIET = settings(
    max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


def test_rewritten_networks_answer_as_the_interpreter() -> None:
    shrunk: list[str] = []

    @seed(4)
    @QUIET
    @given(st.data())
    def run(data: st.DataObject) -> None:
        model = draw_network(data.draw)
        content = model.bytes()
        samples = extreme_samples(model)
        graph, savings = run_passes(
            check(tflite.parse(content, "network")), load_target("cortex-m4")
        )
        shrunk.extend(saving.name for saving in savings)
        want = run_litert(content, samples)
        for mine, theirs in zip(run_numpy(graph, samples), want, strict=True):
            np.testing.assert_array_equal(mine[0], theirs[0])

    run()
    assert {"remove_channels", "fold_pads", "fuse_activations"} <= set(shrunk)


def test_a_rewritten_network_compiles_to_the_same_answers() -> None:
    @seed(5)
    @settings(QUIET, max_examples=3)
    @given(st.data())
    def run(data: st.DataObject) -> None:
        model = draw_network(data.draw)
        content = model.bytes()
        samples = extreme_samples(model)
        graph, _ = run_passes(check(tflite.parse(content, "network")), load_target("cortex-m4"))
        want = run_litert(content, samples)
        with tempfile.TemporaryDirectory() as folder:
            got = run_host(graph, samples, Path(folder), features=frozenset({"dsp"}))
        for mine, theirs in zip(got, want, strict=True):
            np.testing.assert_array_equal(mine[0], theirs[0])

    run()
