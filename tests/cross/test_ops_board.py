"""Every op at least once on the emulated Cortex-M4: one model, one branch an op."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import strategies as st

from edgec.codegen.registry import kernel_ops
from edgec.pipeline.compile import Compiled
from edgec.pipeline.graph import check
from edgec.pipeline.load import tflite
from edgec.pipeline.plan import plan_memory
from edgec.targets.profile import load_target
from tests.support.board import answers
from tests.support.cases import case_modules
from tests.support.drawing import drawn_model
from tests.support.flatmodel import FlatModel
from tests.support.oracle import assert_close, run_litert

GROUP = 20
BOARD_ULPS = 16
"""newlib's libm and the compiler's contraction of products differ from the host by a few ulps."""


REFERENCE = "BUILTIN_REF"


def resolver(name: str) -> str:
    """The interpreter's kernels to compare with; few ops have no reference kernel."""
    return getattr(case_modules()[name], "RESOLVER", REFERENCE)


def groups(dtype: str) -> list[tuple[str, ...]]:
    names = [name for name, m in sorted(case_modules().items()) if dtype in m.DTYPES]
    plain = [name for name in names if resolver(name) == REFERENCE]
    others = [(name,) for name in names if resolver(name) != REFERENCE]
    return [tuple(plain[i : i + GROUP]) for i in range(0, len(plain), GROUP)] + others


def draw_model(names: tuple[str, ...], dtype: str) -> FlatModel:
    """Return one instance of each op, the same ones in every run."""

    def layers(draw: st.DrawFn) -> FlatModel:
        model = FlatModel()
        for name in names:
            case_modules()[name].add(draw, model, dtype)
        return model

    return drawn_model(layers, 7, 5)


@pytest.mark.parametrize(
    ("dtype", "names"), [(d, g) for d in ("int8", "int16", "float32") for g in groups(d)]
)
def test_ops_answer_on_the_board_as_the_interpreter(
    dtype: str, names: tuple[str, ...], tmp_path: Path
) -> None:
    model = draw_model(names, dtype)
    content = model.bytes()
    source = check(tflite.parse(content, "ops"))
    graph, plan = plan_memory(source)
    sample = model.draw_inputs(1)
    want = run_litert(content, [sample], resolver(names[0]))[0]
    target = load_target("cortex-m4")
    (got,) = answers(Compiled(content, source, graph, plan), target, [sample], tmp_path)
    for index, (mine, theirs) in enumerate(zip(got, want, strict=True)):
        assert_close(mine, theirs, BOARD_ULPS, f"output {index} of {names}")


def test_every_op_has_a_case() -> None:
    assert set(kernel_ops()) == set(case_modules())
