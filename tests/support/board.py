"""Runs a model on an emulated board, kernels chosen for its core."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgec.codegen.layout import Plan
from edgec.codegen.selection import Optimize
from edgec.pipeline.compile import Compiled, optimized, write_sources
from edgec.pipeline.graph import Rounding, check
from edgec.pipeline.load import tflite
from edgec.pipeline.plan import plan_memory
from edgec.pipeline.replay import verify_plan
from edgec.pipeline.verify import run_sample
from edgec.targets.profile import Target, load_target
from edgec.targets.session import open_device
from edgec.targets.toolchain import build_image
from tests.support.dsp_layers import extreme_samples
from tests.support.evaluate import run_numpy
from tests.support.flatmodel import FlatModel
from tests.support.oracle import assert_all_close, run_litert
from tests.support.rivals import kernels_in_turn


def run_board(
    content: bytes,
    samples: Sequence[Sequence[np.ndarray]],
    name: str,
    folder: Path,
    optimize: Optimize = "balanced",
) -> tuple[Plan, list[list[np.ndarray]]]:
    """Return the plan and the outputs of each sample of a TFLite file on target `name`."""
    target = optimized(load_target(name), optimize)
    source = check(tflite.parse(content, "model"))
    steps = kernels_in_turn(source, target.features, optimize)
    graph, plan = plan_memory(source, steps=steps)
    return plan, answers(Compiled(content, source, graph, plan), target, samples, folder)


def answers(
    compiled: Compiled, target: Target, samples: Sequence[Sequence[np.ndarray]], folder: Path
) -> list[list[np.ndarray]]:
    """Check a plan, build its firmware and return the outputs of each sample on the target."""
    verify_plan(compiled.graph, compiled.plan)
    write_sources(compiled, target, folder)
    image = build_image(folder / "firmware", target)
    with open_device(image, target) as device:
        return [run_sample(device, compiled.graph, sample) for sample in samples]


def require_right_answers(
    model: FlatModel,
    target: Target,
    rounding: Rounding,
    folder: Path,
    *,
    kernels: str,
    share: float,
    optimize: Optimize = "balanced",
    made_for: frozenset[str] | None = None,
) -> None:
    """Fail unless the target answers as the reference does, a share of the layers by fast kernels.

    `kernels` is what their names hold. `made_for` are the features that kernels are chosen by,
    where they are not the target's.
    """
    content = model.bytes()
    target = optimized(target, optimize)
    source = check(tflite.parse(content, "drawn", rounding))
    graph, plan = plan_memory(source, made_for or target.features, optimize)
    assert sum(kernels in step.kernel for step in plan.steps) >= share * len(plan.steps)
    samples = extreme_samples(model)
    exact = rounding is Rounding.TFLITE
    want = run_litert(content, samples) if exact else run_numpy(source, samples)
    got = answers(Compiled(content, source, graph, plan), target, samples, folder)
    assert_all_close(got, want)
