"""Layers of few values or many zeros by every kernel, under sanitizers: equal to the reference."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from edgec.pipeline.graph import Rounding
from tests.support.layer_program import LayerProgram
from tests.support.random_layers import Add, draw_models, layers_of
from tests.support.sparse_layers import add_packed_conv, add_packed_fully_connected

TIMES = int(os.environ.get("EDGEC_LAYERS", "1"))
DRAWS: dict[str, Add] = {
    "pointwise": lambda draw, model: add_packed_conv(draw, model, (1, 1)),
    "any window": lambda draw, model: add_packed_conv(draw, model, (1, 5)),
    "dense": add_packed_fully_connected,
}
CONV = {
    f"edgec_conv_2d_int8{kind}"
    for kind in (
        "_stored",
        "_columns",
        "_dsp_stored",
        "_dsp_columns",
        "_dsp_squares",
        "_mve_stored",
    )
}
DENSE = {
    f"edgec_fully_connected_int8{kind}"
    for kind in ("_stored", "_columns", "_dsp_stored", "_dsp_columns", "_mve_stored")
}
Record = Callable[[str, object], None]


@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize("kind", DRAWS)
def test_every_kernel_equals_the_reference(
    kind: str, rounding: Rounding, tmp_path: Path, record_property: Record
) -> None:
    models = draw_models(DRAWS[kind], 200 * TIMES, number=31)
    layers = [layer for model in models for layer in layers_of(model, rounding)]
    LayerProgram(layers, tmp_path).check()
    record_property("random layers", sum(len(m.graph.operators) for m in models))
    counts = Counter(layer.step.kernel for layer in layers)
    for kernel, count in counts.items():
        record_property(f"kernel {kernel}", count)
    assert all(counts[kernel] >= 15 for kernel in (DENSE if kind == "dense" else CONV)), counts
