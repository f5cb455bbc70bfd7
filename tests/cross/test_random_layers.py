"""Random layers on the emulated boards, every kernel of a core in one image: byte-exact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgec.pipeline.graph import Rounding
from edgec.targets.profile import load_target
from tests.support.dsp_layers import add_conv, add_fully_connected
from tests.support.layer_board import Board
from tests.support.layer_program import LayerProgram
from tests.support.plane_layers import add_depthwise, add_pool, add_sum
from tests.support.random_layers import Add, draw_models, layers_of

DRAWS: list[tuple[int, Add]] = [
    (50, lambda draw, model: add_conv(draw, model, (1, 1))),
    (50, lambda draw, model: add_conv(draw, model, (3, 3))),
    (50, lambda draw, model: add_conv(draw, model, (1, 5))),
    (25, lambda draw, model: add_conv(draw, model, (3, 3), whole=True)),
    (75, add_fully_connected),
    (75, lambda draw, model: add_depthwise(draw, model, 20, (1, 1, 2))),
    (50, add_sum),
    (25, lambda draw, model: add_pool(draw, model, "AVERAGE_POOL_2D", 40)),
]


@pytest.mark.parametrize(
    ("name", "rounding"),
    [
        ("cortex-m0plus", Rounding.TFLITE),
        ("cortex-m3", Rounding.TFLITE),
        ("cortex-m4", Rounding.TFLITE),
        ("cortex-m55", Rounding.TFLITE),
        ("cortex-m55", Rounding.TFLM),
    ],
)
def test_every_kernel_of_a_core_equals_the_reference(
    name: str, rounding: Rounding, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    cores = [load_target(name).features]
    models = [m for number, (count, add) in enumerate(DRAWS)
              for m in draw_models(add, count, 100 + number)]  # fmt: skip
    layers = [layer for m in models for layer in layers_of(m, rounding, cores=cores)]
    LayerProgram(layers, tmp_path, Board(name)).check()
    record_property("random layers on boards", sum(len(m.graph.operators) for m in models))
    for kernel, count in Counter(layer.step.kernel for layer in layers).items():
        record_property(f"kernel {kernel}", count)


def test_the_board_finds_what_is_wrong(tmp_path: Path) -> None:
    model = draw_models(DRAWS[1][1], 25, 3)[0]
    layers = layers_of(model, cores=[load_target("cortex-m4").features])
    layer = next(
        found for found in layers
        if found.step.kernel == "edgec_conv_2d_int8_dsp" and found.step.scratch_bytes
    )  # fmt: skip
    step = layer.step
    LayerProgram([layer], tmp_path, Board("cortex-m4")).check()
    other = replace(step, params={**step.params, "out_max": step.params["out_min"]})
    small = replace(step, scratch_bytes=8)
    for broken in (other, small):
        with pytest.raises(AssertionError):
            LayerProgram([replace(layer, step=broken)], tmp_path, Board("cortex-m4")).check()
