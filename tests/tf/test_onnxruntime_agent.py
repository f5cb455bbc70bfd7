"""ONNX Runtime as the agent runs it: the right answers, and a time for each node."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgec.pipeline.onnx_oracle import OnnxOracle, onnx_ports
from edgec.pipeline.oracle import random_sample
from edgec.pipeline.verify import Tolerance, first_difference
from edgec.targets.agent.ort import OrtModel

MODEL = Path(__file__).parents[1] / "models" / "torch_residual.onnx"


def test_it_answers_as_unoptimised_nodes_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ports = onnx_ports(MODEL, "residual")
    oracle = OnnxOracle(MODEL, ports)
    model = OrtModel(str(MODEL), threads=1, profile=True)
    assert model.input_bytes == [ports[name].size_bytes for name in ports.inputs]
    for seed in (1, 2, 3):
        sample = random_sample(ports, seed)
        model.load([bytearray(value.tobytes()) for value in sample])
        model.run()
        (answer,) = model.outputs()
        (want,) = oracle.run(sample)
        got = np.frombuffer(answer, np.float32).reshape(want.shape)
        assert first_difference(got, want, Tolerance(share=1e-4)) is None
        assert np.abs(want).max() > 0
        layers = model.layers()
        assert any("Conv" in layer.name for layer in layers)
        assert all(layer.ns >= 0 for layer in layers) and sum(layer.ns for layer in layers) > 0
