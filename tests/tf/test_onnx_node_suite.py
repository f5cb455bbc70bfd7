"""The node tests that the onnx package carries pass, or are out of scope for a known reason."""

from __future__ import annotations

import pytest

from tools.onnx_node_tests import FAIL, OUT, PASS, Tally, run

# Operators the importer promises; each must have passing node tests of its own.
# fmt: off
PROMISED = (
    "abs", "add", "averagepool", "batchnorm", "clip", "concat", "conv", "convtranspose",
    "depthtospace", "div", "elu", "exp", "flatten", "gather", "gelu", "gemm",
    "globalaveragepool", "globalmaxpool", "gru", "hardsigmoid", "hardswish", "identity",
    "layer_normalization", "leakyrelu", "log", "lstm", "matmul", "max", "maxpool", "min", "mul",
    "neg", "pow", "prelu", "reduce_max", "reduce_mean", "reduce_sum", "relu", "reshape",
    "resize", "selu", "sigmoid", "slice", "softmax", "split", "sqrt", "squeeze", "sub",
    "tanh", "transpose", "unsqueeze", "constant_pad", "dropout",
)
# fmt: on


@pytest.fixture(scope="module")
def tally() -> Tally:
    result = run()
    print(result.summary())
    return result


def test_no_node_test_fails(tally: Tally) -> None:
    assert not tally.of(FAIL), tally.summary()
    assert len(tally.of(PASS)) >= 450, tally.summary()


def test_each_promised_operator_has_passing_node_tests(tally: Tally) -> None:
    passed = [outcome.name.removeprefix("test_") for outcome in tally.of(PASS)]
    missing = [op for op in PROMISED if not any(name.startswith(op) for name in passed)]
    assert not missing


def test_whatever_is_out_of_scope_has_a_reason(tally: Tally) -> None:
    assert all(outcome.reason for outcome in tally.of(OUT))
