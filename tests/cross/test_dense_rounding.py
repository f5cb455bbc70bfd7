"""Dense layers on emulated boards round the sums as LiteRT that are hard to round."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgec.pipeline.compile import Compiled, write_sources
from edgec.pipeline.graph import check
from edgec.pipeline.load import tflite
from edgec.pipeline.plan import plan_memory
from edgec.pipeline.verify import run_sample
from edgec.targets.profile import load_target
from edgec.targets.session import open_device
from edgec.targets.toolchain import build_image
from tests.support.dense_sums import dense, inputs_of, telling_rows
from tests.support.oracle import run_litert

KERNELS = {"cortex-m0plus": "", "cortex-m3": "", "cortex-m4": "_dsp", "cortex-m55": "_mve"}
Y = np.float32(0.731)
MOST_SAMPLES = 40


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize(("count", "bits"), [(8, 13.0), (60, 16.0)])
def test_boards_answer_as_the_interpreter(
    name: str, count: int, bits: float, tmp_path: Path
) -> None:
    rows = telling_rows(count, bits, Y, 0)
    sums = np.concatenate([s[:2] for s in rows.values()])[:MOST_SAMPLES]
    model = dense(list(rows), [0] * count, 1, (float(Y), 0))
    samples = [[row[None]] for row in inputs_of(sums, np.zeros_like(sums))]
    content, target = model.bytes(), load_target(name)
    source = check(tflite.parse(content, "dense"))
    graph, plan = plan_memory(source, target.features, "speed")
    (step,) = plan.steps
    suffix = KERNELS[name] if bits < 16 else "_float64"
    assert step.kernel == f"edgec_fully_connected_int8{suffix}"
    write_sources(Compiled(content, source, graph, plan), target, tmp_path)
    image = build_image(tmp_path / "firmware", target)
    with open_device(image, target) as device:
        got = [run_sample(device, graph, sample)[0] for sample in samples]
    want = [outs[0] for outs in run_litert(content, samples)]
    np.testing.assert_array_equal(got, want)
