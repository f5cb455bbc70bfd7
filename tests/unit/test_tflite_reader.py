"""The reader of .tflite: what is damaged or out of range is refused, never a crash."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given, settings
from hypothesis import strategies as st

from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import DType, check
from edgec.pipeline.load import tflite
from edgec.pipeline.plan import plan_memory
from edgec.pipeline.replay import verify_plan
from tests.support.flatmodel import FlatModel


def small_model() -> FlatModel:
    model = FlatModel()
    x = model.input((1, 4, 4, 2), "int8", 0.1, -3)
    w = model.tensor(
        (3, 2, 2, 2), "int8", [0.1, 0.2, 0.3], data=np.arange(24, dtype=np.int8).reshape(3, 2, 2, 2)
    )
    b = model.tensor((3,), "int32", data=np.array([1, -2, 3]))
    y = model.output((1, 4, 4, 3), "int8", 0.3, 5)
    options = schema.Conv2DOptionsT()
    options.strideH = options.strideW = 1
    model.op("CONV_2D", [x, w, b], [y], options)
    return model


VALID = small_model().bytes()


def refuse(model: FlatModel, words: str) -> None:
    with pytest.raises(UnsupportedModelError, match=words):
        check(tflite.parse(model.bytes(), "m"))


def test_a_good_file_is_read_with_its_quantisation() -> None:
    graph = check(tflite.parse(VALID, "Some Model-2"))
    assert graph.name == "some_model_2"
    weights = graph["t1"]
    assert weights.dtype is DType.INT8
    assert weights.q.scales == tuple(float(np.float32(s)) for s in (0.1, 0.2, 0.3))
    assert graph[graph.inputs[0]].q.zero_point == -3


@pytest.mark.parametrize("size", [0, 3, 7, 8, 40, len(VALID) // 2, len(VALID) - 1])
def test_truncated_files_are_refused(size: int) -> None:
    with pytest.raises(UnsupportedModelError):
        check(tflite.parse(VALID[:size], "m"))


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.integers(0, 255)), max_size=4))
def test_corrupt_bytes_are_refused_or_compile(changes: list[tuple[int, int]]) -> None:
    data = bytearray(VALID)
    for at, value in changes:
        data[at] = value
    try:
        graph = check(tflite.parse(bytes(data), "m"))
        graph, plan = plan_memory(graph)
    except UnsupportedModelError:
        return
    verify_plan(graph, plan)


def test_every_unsupported_op_is_named_at_once() -> None:
    model = small_model()
    x = model.graph.inputs[0]
    for _ in range(2):
        model.op("RANGE", [x], [model.output((1, 4, 4, 2), "int8", 0.1, -3)])
    with pytest.raises(UnsupportedModelError) as caught:
        tflite.parse(model.bytes(), "m")
    assert "op 1 RANGE" in caught.value.message and "op 2 RANGE" in caught.value.message


def test_a_custom_op_is_named() -> None:
    model = small_model()
    model.op("CUSTOM", [0], [model.output((1,), "float32")])
    model.model.operatorCodes[-1].customCode = b"my op"
    refuse(model, "custom op 'my op' -> 't4': not supported")


def test_a_missing_tensor_index_is_refused() -> None:
    model = small_model()
    model.graph.operators[0].inputs = [0, 1, 99]
    refuse(model, "tensor index 99 of 4")


def test_a_buffer_of_another_size_is_refused() -> None:
    model = small_model()
    model.model.buffers[1].data = np.zeros(5, np.uint8)
    refuse(model, "5 bytes of data for shape")


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_bad_scales_are_refused(scale: float) -> None:
    model = small_model()
    model.graph.tensors[0].quantization.scale = [scale]
    refuse(model, "scale is not finite and positive")


def test_a_zero_point_out_of_range_is_refused() -> None:
    model = small_model()
    model.graph.tensors[0].quantization.zeroPoint = [200]
    refuse(model, "zero point outside -128..127")


def test_a_wrong_output_shape_is_refused() -> None:
    model = small_model()
    model.graph.tensors[3].shape = [1, 4, 4, 4]
    refuse(model, "output shapes .* declared, .* computed")


def test_huge_shapes_are_refused() -> None:
    model = small_model()
    model.graph.tensors[0].shape = [1, 65536, 65536, 2]
    refuse(model, "over 2 GiB")


def test_dynamic_shapes_are_refused_by_name() -> None:
    model = small_model()
    model.graph.tensors[0].shapeSignature = [1, -1, -1, 2]
    refuse(model, "tensor 't0': shape .* is dynamic")


def test_a_bias_that_overflows_the_sum_is_refused() -> None:
    model = small_model()
    model.model.buffers[2].data = np.frombuffer(
        np.array([2**31 - 1, 0, 0], np.int32).tobytes(), np.uint8
    )
    refuse(model, "fits 32 bits")


def test_several_subgraphs_are_refused() -> None:
    model = small_model()
    model.model.subgraphs.append(model.graph)
    refuse(model, "2 subgraphs, 1 wanted")


def test_an_op_that_reads_its_own_output_is_refused() -> None:
    model = FlatModel()
    model.input((1, 4), "int8", 0.1, 0)
    y = model.output((1, 4), "int8", 0.1, 0)
    model.op("ADD", [y, y], [y], schema.AddOptionsT())
    refuse(model, "reads 't1' before it is computed")
