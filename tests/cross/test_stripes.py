"""Layers by stripes on the simulated boards: exact, and within a RAM budget."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgec.codegen.stripes import Stripes
from edgec.pipeline.compile import Compiled, write_sources
from edgec.pipeline.driver import bench, build, verify
from edgec.pipeline.errors import BudgetError
from edgec.pipeline.verify import run_sample
from edgec.targets.profile import load_target
from edgec.targets.session import open_device
from edgec.targets.toolchain import build_image
from tests.support.evaluate import run_numpy
from tests.support.striped_chains import random_chains, striped

IC, VWW = "ic_resnet8_int8.tflite", "vww_mobilenetv1_int8.tflite"


@pytest.mark.parametrize("name", ["cortex-m0plus", "cortex-m4", "cortex-m55"])
def test_random_runs_of_layers_by_stripes_are_exact(name: str, tmp_path: Path) -> None:
    target = load_target(name)
    model, graph = random_chains(900, 8)
    ordered, plan = striped(graph, target.features, 900)
    assert sum(isinstance(op, Stripes) for op in ordered.ops) >= 4
    samples = [model.draw_inputs(seed) for seed in (1, 2)]
    content = model.bytes()
    named = replace(graph, sha256="0" * 64)
    write_sources(Compiled(content, named, ordered, plan), target, tmp_path)
    image = build_image(tmp_path / "firmware", target)
    with open_device(image, target) as device:
        got = [run_sample(device, ordered, sample) for sample in samples]
    for mine, theirs in zip(got, run_numpy(graph, samples), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))


def test_ic_runs_in_24_kilobytes(benchmark_models: Path, tmp_path: Path) -> None:
    done = build(benchmark_models / IC, ram_bytes=24 * 1024, samples=1, out=tmp_path / "out")
    memory = done.result.memory
    assert memory.ram_bytes is not None and memory.ram_bytes <= 24 * 1024
    assert all(checked.exact for checked in done.result.verified)
    assert done.result.total is not None and done.result.total < 12_500_000
    assert any(saving.arena_bytes > 8000 for saving in done.result.savings)
    assert all(checked.exact for checked in verify(tmp_path / "out", samples=1))
    again = bench(tmp_path / "out", samples=1)
    assert again.memory.arena_bytes == memory.arena_bytes


def test_vww_runs_in_28_kilobytes_with_its_input_by_rows(
    benchmark_models: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = build(benchmark_models / VWW, ram_bytes=28 * 1024, input_rows=True, samples=1, out=out)
    memory = done.result.memory
    assert memory.ram_bytes is not None and memory.ram_bytes <= 28 * 1024
    assert all(checked.exact for checked in done.result.verified)
    header = (out / "src" / f"{done.result.model}.h").read_text()
    assert f"{done.result.model}_run_rows(" in header and "INPUT_0_OFFSET" not in header
    assert all(checked.exact for checked in verify(out, samples=1))


def test_a_budget_that_nothing_fits_is_refused_with_the_least(
    benchmark_models: Path, tmp_path: Path
) -> None:
    with pytest.raises(BudgetError, match="27,648 for") as caught:
        build(benchmark_models / VWW, ram_bytes=28 * 1024, out=tmp_path / "out")
    assert "--input-rows" in caught.value.hint
