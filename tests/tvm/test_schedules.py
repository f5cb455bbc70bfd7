"""The schedules that nobody tuned: vectors that LLVM takes whole, sums that registers hold."""

from __future__ import annotations

import re
from typing import Any

import pytest

from edgec.codegen.window import Window
from edgec.pipeline.tvm import assembly, expressions
from edgec.pipeline.tvm.schedules import default_schedule

VECTORS = re.compile(r"T\.vectorized\((\d+)\)")
UNROLLED = re.compile(r"T\.unroll\((\d+)\)")


def product(channels: int) -> Any:
    """A 1x1 convolution of 8 x 8 pixels."""
    te = pytest.importorskip("tvm").te
    x = te.placeholder((1, 8, 8, 16), "float32", "x")
    weights = te.placeholder((16, channels), "float32", "weights")
    depth = te.reduce_axis((0, 16))
    sums = te.compute(
        (1, 8, 8, channels),
        lambda b, i, j, c: te.sum(x[b, i, j, depth] * weights[depth, c], axis=depth),
        "sums",
    )
    return te.create_prim_func([x, weights, sums])


@pytest.mark.parametrize(
    ("channels", "lanes", "vector"),
    [(24, 16, 8), (64, 16, 32), (48, 16, 16), (40, 16, 8), (10, 16, 2), (24, 8, 8), (12, 4, 4)],
)
def test_vectors_are_powers_of_two(channels: int, lanes: int, vector: int) -> None:
    text = default_schedule(product(channels), lanes).mod.script()
    assert {int(found) for found in VECTORS.findall(text)} == {vector}


def test_odd_channels_go_one_by_one() -> None:
    text = default_schedule(product(7), 16).mod.script()
    assert not VECTORS.findall(text)
    assert "T.unroll(7)" in text


@pytest.mark.parametrize(("lanes", "copied"), [(16, False), (1, True)])
def test_borders_are_copied_for_cores_without_vectors_alone(lanes: int, copied: bool) -> None:
    te = pytest.importorskip("tvm").te
    x = te.placeholder((1, 6, 6, 32), "float32", "x")
    weights = te.placeholder((3, 3, 32), "float32", "weights")
    window = Window(kernel=(3, 3), stride=(1, 1), dilation=(1, 1), before=(1, 1), after=(1, 1))
    padded = expressions.pad(x, window.before, window.after, 0)
    sums = expressions.depthwise(padded, weights, window, (1, 6, 6, 32))
    module = default_schedule(te.create_prim_func([x, weights, sums]), lanes).mod
    assert ("padded" in module.script()) is copied


def test_signs_in_registers_that_no_instruction_names(monkeypatch: pytest.MonkeyPatch) -> None:
    import tvm

    asked = []

    def compiled(functions: dict[str, object], target: tvm.target.Target) -> str:
        asked.append(list(target.export()["mattr"]))
        return f"\tvmovmskps\t%xmm{20 if '+avx512vl' in asked[-1] else 4}, %ecx\n"

    monkeypatch.setattr(assembly, "_assembly", compiled)
    with_short = {"kind": "llvm", "mcpu": "x86-64-v4", "mattr": ["+avx512f", "+avx512vl"]}
    assert "%xmm4," in assembly.assembled({}, tvm.target.Target(with_short))
    assert asked == [["+avx512f", "+avx512vl"], ["+avx512f", "-avx512vl"]]


@pytest.mark.parametrize(("lanes", "pixels"), [(1, 4), (16, 8)])
def test_tiles_have_as_many_pixels_as_sums_fit_in_registers(lanes: int, pixels: int) -> None:
    text = default_schedule(product(32), lanes).mod["main"].script()
    assert UNROLLED.search(text)[1] == str(pixels)
