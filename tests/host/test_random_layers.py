"""Thousands of random layers, every kernel variant, under sanitizers: equal to the reference.

One compiled program checks all layers of a test; `EDGEC_LAYERS` multiplies how many are drawn. The
count is printed at the end of the run.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgec.codegen.registry import Const
from edgec.pipeline.graph import Rounding
from tests.support.cases import case_modules
from tests.support.dsp_layers import add_conv, add_fully_connected
from tests.support.flatmodel import FlatModel
from tests.support.layer_program import Layer, LayerProgram
from tests.support.plane_layers import add_depthwise, add_pool, add_sum
from tests.support.random_layers import (
    Add,
    draw_models,
    has_tiny_scale,
    is_negative,
    is_one_pixel,
    layers_of,
    saturates,
)

TIMES = int(os.environ.get("EDGEC_LAYERS", "1"))

DRAWS: dict[str, tuple[int, Add]] = {
    "pointwise": (400, lambda draw, model: add_conv(draw, model, (1, 1))),
    "three by three": (400, lambda draw, model: add_conv(draw, model, (3, 3))),
    "any window": (400, lambda draw, model: add_conv(draw, model, (1, 5))),
    "whole blocks": (200, lambda draw, model: add_conv(draw, model, (3, 3), whole=True)),
    "dense": (500, add_fully_connected),
    "depthwise": (600, lambda draw, model: add_depthwise(draw, model, 20, (1, 1, 1, 2))),
    "sums": (300, add_sum),
    "average": (200, lambda draw, model: add_pool(draw, model, "AVERAGE_POOL_2D", 40)),
    "largest": (150, lambda draw, model: add_pool(draw, model, "MAX_POOL_2D")),
}
PRODUCTS = {"pointwise", "three by three", "any window", "dense", "depthwise"}
STATEFUL = {"SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM"}

Record = Callable[[str, object], None]


def check_all(layers: list[Layer], drawn: int, folder: Path, record: Record) -> None:
    """Run the layers, and record how many there were, by kernel."""
    LayerProgram(layers, folder).check()
    record("random layers", drawn)
    for kernel, count in Counter(layer.step.kernel for layer in layers).items():
        record(f"kernel {kernel}", count)


@pytest.mark.parametrize("kind", DRAWS)
def test_every_kernel_equals_the_interpreter(
    kind: str, tmp_path: Path, record_property: Record
) -> None:
    count, add = DRAWS[kind]
    models = draw_models(add, TIMES * count, number=26)
    layers = [layer for model in models for layer in layers_of(model)]
    check_all(layers, sum(len(m.graph.operators) for m in models), tmp_path, record_property)
    if kind in PRODUCTS:
        for trait in (is_one_pixel, saturates, is_negative, has_tiny_scale):
            if trait is not is_one_pixel or kind in ("pointwise", "dense", "depthwise"):
                assert sum(map(trait, layers)) >= 5, trait.__name__


def test_every_kernel_equals_numpy_with_the_rounding_of_tflm(
    tmp_path: Path, record_property: Record
) -> None:
    models = [
        model for number, (kind, (_, add)) in enumerate(DRAWS.items()) if kind in PRODUCTS
        for model in draw_models(add, TIMES * 100, number)
    ]  # fmt: skip
    layers = [layer for model in models for layer in layers_of(model, Rounding.TFLM)]
    check_all(layers, sum(len(m.graph.operators) for m in models), tmp_path, record_property)


def test_other_ops_equal_the_interpreter(tmp_path: Path, record_property: Record) -> None:
    layers: list[Layer] = []
    drawn = 0
    for builtin, case in sorted(case_modules().items()):
        if "int8" not in case.DTYPES or builtin in STATEFUL:
            continue

        def add(draw: object, model: FlatModel, case: object = case) -> None:
            case.add(draw, model, "int8")  # type: ignore[attr-defined]

        for model in draw_models(add, TIMES * 16, number=7, a_model=8):
            drawn += len(model.graph.operators)
            resolver = getattr(case, "RESOLVER", "BUILTIN_REF")
            layers += layers_of(model, resolver=resolver)
    check_all(layers, drawn, tmp_path, record_property)


def one_layer(kernel: str) -> Layer:
    """Return a convolution that writes its output in place, under a kernel."""
    models = draw_models(DRAWS["three by three"][1], 50, number=3)
    layers = [layer for model in models for layer in layers_of(model)]
    return next(
        layer for layer in layers
        if layer.step.kernel == kernel and layer.step.scratch_bytes and layer.step.accesses
        and layer.outputs[0].size > 40 and not saturates(layer)
    )  # fmt: skip


@pytest.mark.parametrize("kernel", ["edgec_conv_2d_int8", "edgec_conv_2d_int8_dsp"])
def test_the_program_finds_what_is_wrong(kernel: str, tmp_path: Path) -> None:
    layer = one_layer(kernel)
    step = layer.step
    LayerProgram([layer], tmp_path).check()
    weights = step.params["weights"]
    assert isinstance(weights, Const)
    short = Const(weights.data.reshape(-1)[:-1])
    nothing = ((range(0), range(layer.outputs[0].size_bytes)),)
    wrong = {
        "wanted|\\[": replace(step, params={**step.params, "in_zero_point": 17}),
        "heap-buffer-overflow.*": replace(step, params={**step.params, "weights": short}),
        "AddressSanitizer": replace(step, scratch_bytes=(step.scratch_bytes or 0) - 1),
        "over an input": replace(step, accesses=nothing),
    }
    for message, broken in wrong.items():
        with pytest.raises(AssertionError, match=message):
            LayerProgram([replace(layer, step=broken)], tmp_path).check()
