"""An op with a wrong shape, type, axis or option is refused by the reader or compiles; no crash."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgec.codegen.emit import Origin, emit
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import check
from edgec.pipeline.load import tflite
from edgec.pipeline.plan import plan_memory
from edgec.pipeline.replay import verify_plan
from tests.support.cases import case_modules
from tests.support.flatmodel import TYPES, FlatModel

CASES = [(name, dtype) for name, m in sorted(case_modules().items()) for dtype in m.DTYPES[:2]]
EXAMPLES = 5 * int(os.environ.get("EDGEC_EXAMPLES", "3"))
INTEGERS = st.one_of(
    st.integers(-9, 9), st.sampled_from((-(2**31), 2**31 - 1, 127, 128, 255, 2**30, -128))
)


@pytest.mark.parametrize(("builtin", "dtype"), CASES)
def test_damage_is_refused_or_compiles(builtin: str, dtype: str) -> None:
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.data())
    def run(data: st.DataObject) -> None:
        model = FlatModel()
        case_modules()[builtin].add(data.draw, model, dtype)
        for _ in range(data.draw(st.integers(1, 2))):
            damage(data.draw, model)
        try:
            content = model.bytes()
        except (TypeError, ValueError, OverflowError, AssertionError):
            return  # the writer itself has no room for the value
        try:
            graph = check(tflite.parse(content, "m"))
        except UnsupportedModelError:
            return
        if sum(t.size_bytes for t in graph.tensors.values()) < 1 << 20:
            ordered, plan = plan_memory(graph)
            verify_plan(ordered, plan)
            emit(ordered, plan, Origin("test", "host"))

    run()


def damage(draw, model: FlatModel) -> None:
    op, tensors = model.graph.operators[-1], model.graph.tensors
    kind = draw(st.sampled_from(("shape", "type", "drop", "option", "constant", "scale")))
    tensor = tensors[draw(st.integers(0, len(tensors) - 1))]
    if kind == "shape":
        tensor.shape = draw(st.lists(st.integers(0, 5), max_size=6))
    elif kind == "type":
        tensor.type = draw(st.sampled_from(sorted(TYPES.values())))
    elif kind == "drop":
        side = draw(st.sampled_from((op.inputs, op.inputs, op.outputs)))
        if side:
            at = draw(st.integers(0, len(side) - 1))
            if side is op.inputs and draw(st.booleans()):
                side[at] = draw(st.integers(-1, len(tensors) - 1))
            else:
                del side[at]
    elif kind == "option" and op.builtinOptions is not None and vars(op.builtinOptions):
        name = draw(st.sampled_from(sorted(vars(op.builtinOptions))))
        old = getattr(op.builtinOptions, name)
        new = draw(st.integers(0, 1)) if isinstance(old, bool) else draw(INTEGERS)
        is_list = old is None or isinstance(old, (list, np.ndarray))
        setattr(op.builtinOptions, name, [new] if is_list else type(old)(new))
    elif kind == "constant" and tensor.buffer:
        numpy = next(k for k, v in TYPES.items() if v == tensor.type)
        size = int(np.prod(tensor.shape, dtype=np.int64))
        values = draw(st.lists(INTEGERS, min_size=size, max_size=size)) if size < 30 else [7] * size
        raw = np.array(values, np.int64).astype(numpy)
        model.model.buffers[tensor.buffer].data = np.frombuffer(raw.tobytes(), np.uint8)
    elif kind == "scale" and tensor.quantization is not None:
        tensor.quantization.scale = [draw(st.sampled_from((1e-30, 0.0, -1.0, 1e30, 0.02)))]
        tensor.quantization.zeroPoint = [draw(st.integers(-200, 200))]
