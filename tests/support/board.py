"""Runs a model on an emulated board, kernels chosen for its core."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgec.codegen.layout import Plan
from edgec.codegen.selection import Optimize
from edgec.pipeline.compile import Compiled, optimized, write_sources
from edgec.pipeline.graph import check
from edgec.pipeline.load import tflite
from edgec.pipeline.plan import plan_memory
from edgec.pipeline.replay import verify_plan
from edgec.pipeline.verify import run_sample
from edgec.targets.profile import load_target
from edgec.targets.session import open_device
from edgec.targets.toolchain import build_image
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
    verify_plan(graph, plan)
    write_sources(Compiled(content, source, graph, plan), target, folder)
    image = build_image(folder / "firmware", target)
    with open_device(image, target) as device:
        return plan, [run_sample(device, graph, sample) for sample in samples]
