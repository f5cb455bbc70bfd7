"""Convolutions and pools, imported from ONNX, equal onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.onnx_graphs import check, layer_kinds, model, node, weights

CONVOLUTIONS: list[tuple[str, tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ("valid", (1, 3, 9, 8), (5, 3, 3, 3), {}),
    ("pointwise", (1, 6, 4, 4), (8, 6, 1, 1), {}),
    ("padded as same", (1, 3, 9, 8), (5, 3, 3, 3), {"pads": [1, 1, 1, 1]}),
    ("padded by torch", (1, 3, 8, 8), (5, 3, 3, 3), {"pads": [1, 1, 1, 1], "strides": [2, 2]}),
    ("padded unevenly", (1, 3, 9, 8), (5, 3, 3, 2), {"pads": [0, 2, 1, 0]}),
    ("auto upper", (1, 3, 9, 8), (5, 3, 4, 3), {"auto_pad": "SAME_UPPER", "strides": [2, 3]}),
    ("auto lower", (1, 3, 9, 8), (5, 3, 4, 2), {"auto_pad": "SAME_LOWER"}),
    ("auto valid", (1, 3, 9, 8), (5, 3, 4, 2), {"auto_pad": "VALID", "strides": [2, 2]}),
    ("dilated", (1, 3, 12, 11), (4, 3, 3, 3), {"dilations": [2, 3], "pads": [2, 3, 2, 3]}),
    ("dilated and strided", (1, 3, 13, 12), (4, 3, 3, 3), {"dilations": [2, 2], "strides": [2, 2]}),
    (
        "dilated, strided, same",
        (1, 3, 13, 12),
        (4, 3, 3, 3),
        {"dilations": [2, 2], "strides": [2, 2], "pads": [2, 1, 2, 2]},
    ),
    ("grouped", (1, 6, 7, 7), (9, 2, 3, 3), {"group": 3, "pads": [1, 1, 1, 1]}),
    ("depthwise", (1, 6, 7, 7), (6, 1, 3, 3), {"group": 6, "pads": [1, 1, 1, 1]}),
    ("depthwise, multiplied", (1, 4, 7, 7), (12, 1, 3, 3), {"group": 4}),
    ("depthwise, unequal strides", (1, 4, 9, 9), (4, 1, 3, 3), {"group": 4, "strides": [2, 3]}),
    (
        "depthwise, dilated",
        (1, 4, 9, 9),
        (4, 1, 3, 3),
        {"group": 4, "dilations": [2, 2], "pads": [2, 2, 2, 2]},
    ),
    ("one channel", (1, 1, 7, 7), (4, 1, 3, 3), {}),
    ("line", (1, 4, 17), (6, 4, 5), {"pads": [2, 2]}),
    ("line, strided", (1, 4, 17), (6, 4, 5), {"pads": [1, 0], "strides": [3]}),
    ("line, depthwise", (1, 4, 17), (4, 1, 5), {"group": 4, "strides": [2], "pads": [2, 2]}),
    ("line, dilated", (1, 4, 17), (6, 4, 3), {"dilations": [4], "pads": [4, 4]}),
    ("several samples", (3, 2, 6, 6), (4, 2, 3, 3), {"pads": [1, 1, 1, 1]}),
]


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize(
    ("shape", "kernel", "attributes"),
    [case[1:] for case in CONVOLUTIONS],
    ids=[case[0] for case in CONVOLUTIONS],
)
def test_convolutions_equal_onnxruntime(
    tmp_path: Path,
    shape: tuple[int, ...],
    kernel: tuple[int, ...],
    attributes: dict[str, Any],
    bias: bool,
) -> None:
    constants = {"w": weights(*kernel)}
    if bias:
        constants["b"] = weights(kernel[0], seed=2)
    proto = model(
        [node("Conv", " ".join(["x", *constants]), **attributes)], {"x": shape}, constants
    )
    check(proto, tmp_path)


def test_depthwise_kernels_become_depthwise_layers(tmp_path: Path) -> None:
    proto = model([node("Conv", "x w", group=4)], {"x": (1, 4, 7, 7)}, {"w": weights(4, 1, 3, 3)})
    assert layer_kinds(check(proto, tmp_path)) == ["DepthwiseConv2D"]


TRANSPOSED: list[tuple[str, tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ("plain", (1, 3, 5, 4), (3, 4, 3, 3), {}),
    ("doubled", (1, 3, 5, 4), (3, 4, 4, 4), {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
    ("doubled by 2x2", (1, 3, 5, 4), (3, 4, 2, 2), {"strides": [2, 2]}),
    (
        "output padding",
        (1, 3, 5, 4),
        (3, 4, 3, 3),
        {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]},
    ),
    (
        "beyond the kernel",
        (1, 3, 5, 4),
        (3, 4, 3, 3),
        {"strides": [3, 2], "output_padding": [2, 1]},
    ),
    ("small kernel", (1, 3, 5, 4), (3, 4, 2, 1), {"strides": [3, 3]}),
    ("uneven pads", (1, 3, 5, 4), (3, 4, 4, 4), {"strides": [2, 2], "pads": [0, 1, 2, 0]}),
    ("dilated", (1, 3, 5, 4), (3, 4, 3, 2), {"dilations": [2, 3]}),
    ("grouped", (1, 6, 5, 4), (6, 2, 3, 3), {"group": 3, "strides": [2, 2]}),
    ("auto upper", (1, 3, 5, 4), (3, 4, 3, 3), {"strides": [2, 2], "auto_pad": "SAME_UPPER"}),
    ("auto lower", (1, 3, 5, 4), (3, 4, 3, 3), {"strides": [2, 2], "auto_pad": "SAME_LOWER"}),
    ("line", (1, 3, 9), (3, 4, 4), {"strides": [2], "pads": [1, 1]}),
]


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize(
    ("shape", "kernel", "attributes"),
    [case[1:] for case in TRANSPOSED],
    ids=[case[0] for case in TRANSPOSED],
)
def test_transposed_convolutions_equal_onnxruntime(
    tmp_path: Path,
    shape: tuple[int, ...],
    kernel: tuple[int, ...],
    attributes: dict[str, Any],
    bias: bool,
) -> None:
    constants = {"w": weights(*kernel)}
    if bias:
        constants["b"] = weights(kernel[1] * attributes.get("group", 1), seed=2)
    inputs = " ".join(["x", *constants])
    check(model([node("ConvTranspose", inputs, **attributes)], {"x": shape}, constants), tmp_path)


POOLS: list[tuple[str, tuple[int, ...], dict[str, Any]]] = [
    ("plain", (1, 3, 8, 9), {"kernel_shape": [2, 2], "strides": [2, 2]}),
    ("overlapping", (1, 3, 8, 9), {"kernel_shape": [3, 2], "strides": [1, 2]}),
    (
        "padded by torch",
        (1, 3, 8, 8),
        {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]},
    ),
    ("padded as same", (1, 3, 7, 7), {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
    ("padded unevenly", (1, 3, 8, 8), {"kernel_shape": [4, 3], "pads": [0, 1, 2, 0]}),
    ("padded widely", (1, 3, 8, 8), {"kernel_shape": [3, 3], "pads": [2, 2, 2, 2]}),
    ("auto upper", (1, 3, 8, 9), {"kernel_shape": [3, 2], "auto_pad": "SAME_UPPER"}),
    (
        "auto lower",
        (1, 3, 8, 9),
        {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_LOWER"},
    ),
    ("ceiled", (1, 3, 8, 9), {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
    (
        "ceiled and padded",
        (1, 3, 8, 9),
        {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 0, 1, 1], "ceil_mode": 1},
    ),
    ("line", (1, 3, 11), {"kernel_shape": [3], "strides": [2], "pads": [1, 1]}),
]


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize(
    ("shape", "attributes"), [case[1:] for case in POOLS], ids=[case[0] for case in POOLS]
)
def test_pools_equal_onnxruntime(
    tmp_path: Path, op: str, shape: tuple[int, ...], attributes: dict[str, Any]
) -> None:
    proto = model([node(op, "x", **attributes)], {"x": shape})
    # All negative inputs show padding that enters the maximum.
    check(proto, tmp_path, transform=lambda x: -np.abs(x) - 1)


@pytest.mark.parametrize(
    ("shape", "attributes"), [case[1:] for case in POOLS], ids=[case[0] for case in POOLS]
)
def test_average_pools_that_count_padding_equal_onnxruntime(
    tmp_path: Path, shape: tuple[int, ...], attributes: dict[str, Any]
) -> None:
    check(
        model(
            [node("AveragePool", "x", count_include_pad=1, **attributes)], {"x": shape}, opset=19
        ),
        tmp_path,
    )


def test_max_pool_after_relu_pads_with_zeros(tmp_path: Path) -> None:
    attributes = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}
    nodes = [node("Relu", "x", "r"), node("MaxPool", "r", **attributes)]
    kinds = layer_kinds(check(model(nodes, {"x": (1, 3, 8, 8)}), tmp_path))
    assert kinds == ["ReLU", "ZeroPadding2D", "MaxPooling2D"]


@pytest.mark.parametrize("op", ["GlobalAveragePool", "GlobalMaxPool"])
@pytest.mark.parametrize("shape", [(1, 3, 6, 5), (1, 4, 9), (2, 3, 4, 4)])
def test_global_pools_equal_onnxruntime(tmp_path: Path, op: str, shape: tuple[int, ...]) -> None:
    check(model([node(op, "x")], {"x": shape}), tmp_path)
