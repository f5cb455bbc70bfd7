"""The pinned LiteRT interpreter with its reference kernels, and how results are compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def run_litert(
    model: bytes, samples: Sequence[Sequence[np.ndarray]], resolver: str = "BUILTIN_REF"
) -> list[list[np.ndarray]]:
    """Return the outputs of each sample in turn; recurrent state carries over.

    `resolver` names another set of kernels for the few ops that have no reference kernel.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=model, experimental_op_resolver_type=OpResolverType[resolver]
    )
    interpreter.allocate_tensors()
    ins = [d["index"] for d in interpreter.get_input_details()]
    outs = [d["index"] for d in interpreter.get_output_details()]
    results = []
    for sample in samples:
        for index, value in zip(ins, sample, strict=True):
            interpreter.set_tensor(index, value)
        interpreter.invoke()
        results.append([interpreter.get_tensor(index) for index in outs])
    return results


def ulps(got: np.ndarray, want: np.ndarray) -> float:
    """Return the largest distance in units of the last place of the wanted value."""
    if got.size == 0 or np.array_equal(got, want, equal_nan=True):
        return 0.0
    both_nan = np.isnan(got) & np.isnan(want)
    same = both_nan | (got == want)
    gap = np.abs(got.astype(np.float64) - want.astype(np.float64))
    unit = np.spacing(np.maximum(np.abs(want), np.finfo(np.float32).tiny)).astype(np.float64)
    return float(np.max(np.where(same, 0.0, gap / unit)))


def assert_all_close(
    got: Sequence[Sequence[np.ndarray]],
    want: Sequence[Sequence[np.ndarray]],
    limit_ulps: float = 0,
    where: str = "",
) -> None:
    """Compare the outputs of each sample as `assert_close` does."""
    for i, (mine, theirs) in enumerate(zip(got, want, strict=True)):
        for k, (a, b) in enumerate(zip(mine, theirs, strict=True)):
            assert_close(a, b, limit_ulps, f"{where}run {i}, output {k}")


def assert_close(got: np.ndarray, want: np.ndarray, limit_ulps: float, where: str) -> None:
    """Integers must be equal byte for byte, floats within `limit_ulps`."""
    assert got.shape == want.shape and got.dtype == want.dtype, (
        f"{where}: {got.dtype}{got.shape}, {want.dtype}{want.shape} wanted"
    )
    if got.dtype == np.float32:
        distance = ulps(got, want)
        assert distance <= limit_ulps, f"{where}: {distance} ulps, at most {limit_ulps} wanted"
        return
    if not np.array_equal(got, want):
        first = tuple(np.argwhere(got != want)[0])
        raise AssertionError(
            f"{where}: {np.sum(got != want)} of {want.size} differ; first at {first}: "
            f"{got[first]}, {want[first]} wanted"
        )
