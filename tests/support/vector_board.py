"""Builds a drawn model with vector kernels for a target, runs it there and compares."""

from __future__ import annotations

from pathlib import Path

from edgec.codegen.selection import Optimize
from edgec.pipeline.compile import Compiled, optimized, write_sources
from edgec.pipeline.graph import Rounding, check
from edgec.pipeline.load import tflite
from edgec.pipeline.plan import plan_memory
from edgec.pipeline.replay import verify_plan
from edgec.pipeline.verify import run_sample
from edgec.targets.profile import Target
from edgec.targets.session import open_device
from edgec.targets.toolchain import build_image
from tests.support.dsp_layers import extreme_samples
from tests.support.evaluate import run_numpy
from tests.support.oracle import assert_close, run_litert
from tests.support.vector_layers import drawn


def require_right_answers(
    number: int,
    target: Target,
    rounding: Rounding,
    folder: Path,
    *,
    optimize: Optimize = "balanced",
    made_for: frozenset[str] | None = None,
) -> None:
    """Fail unless the target answers as the reference does, a quarter of the layers by vectors.

    `made_for` are the features that kernels are chosen by, where they are not the target's.
    """
    model = drawn(number)
    content = model.bytes()
    target = optimized(target, optimize)
    source = check(tflite.parse(content, "vectors", rounding))
    graph, plan = plan_memory(source, made_for or target.features, optimize)
    verify_plan(graph, plan)
    assert sum("_vector" in step.kernel for step in plan.steps) >= len(plan.steps) // 4
    samples = extreme_samples(model)
    exact = rounding is Rounding.TFLITE
    want = run_litert(content, samples) if exact else run_numpy(source, samples)
    write_sources(Compiled(content, source, graph, plan), target, folder)
    image = build_image(folder / "firmware", target)
    with open_device(image, target) as device:
        got = [run_sample(device, graph, sample) for sample in samples]
    for i, (mine, theirs) in enumerate(zip(got, want, strict=True)):
        for k, (a, b) in enumerate(zip(mine, theirs, strict=True)):
            assert_close(a, b, 0, f"run {i}, output {k}")
