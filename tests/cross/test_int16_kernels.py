"""The int16 kernels for SMLAD, and portable ones, on emulated boards: byte-exact."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgec.pipeline.compile import Compiled
from edgec.pipeline.driver import build
from edgec.pipeline.graph import check
from edgec.pipeline.load import tflite
from edgec.pipeline.plan import plan_memory
from edgec.targets.profile import load_target
from tests.support.board import answers
from tests.support.int16_layers import extreme_samples, first_model
from tests.support.int16_networks import mixed_model
from tests.support.oracle import assert_all_close, run_litert


@pytest.mark.parametrize("name", ["cortex-m4", "cortex-m0plus", "cortex-m3"])
def test_layers_answer_on_the_board_as_the_interpreter(name: str, tmp_path: Path) -> None:
    model = first_model()
    content = model.bytes()
    target = load_target(name)
    source = check(tflite.parse(content, "layers"))
    graph, plan = plan_memory(source, target.features, "speed")
    assert any("_dsp" in s.kernel for s in plan.steps) == ("dsp" in target.features)
    samples = extreme_samples(model)
    want = run_litert(content, samples)
    got = answers(Compiled(content, source, graph, plan), target, samples, tmp_path)
    assert_all_close(got, want)


@pytest.mark.parametrize("name", ["cortex-m7", "cortex-m33", "cortex-m55"])
@pytest.mark.parametrize("widens", [False, True])
def test_mixed_models_are_verified(name: str, widens: bool, tmp_path: Path) -> None:
    path = tmp_path / "mixed.tflite"
    path.write_bytes(mixed_model(widens=widens).bytes())
    done = build(path, target=name, samples=3, out=tmp_path / "out")
    assert [(v.device, v.exact) for v in done.result.verified] == [("host C", True), (name, True)]
    oracle = done.result.verified[0].oracle
    assert ("QUANTIZE" in oracle) if widens else (oracle == "LiteRT, reference kernels")
