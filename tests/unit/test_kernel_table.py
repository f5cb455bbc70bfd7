"""Every kernel is in the table of every core."""

from __future__ import annotations

import json
import re

import pytest

from edgec.codegen.kernel_table import MODES, kernel_table
from edgec.targets.profile import load_target, target_names
from tests.support.modules import ROOT

KERNELS = ROOT / "codegen" / "kernels"
MEASURED = sorted(path.stem for path in (KERNELS / "tables").glob("cortex-m*.json"))
CORES = sorted({load_target(n).cpu for n in target_names() if n.startswith("cortex-m")})
ALIKE = {"cortex-m0": "cortex-m0plus", "cortex-m23": "cortex-m0plus", "cortex-m85": "cortex-m55"}
"""Cores that execute the code of another one."""


def kernels() -> set[str]:
    """C files that define the function they are named after, but those that no Cortex-M can use."""
    return {
        path.stem
        for path in KERNELS.glob("*.c")
        if "_vector" not in path.stem
        and re.search(rf"^void {path.stem}\(", path.read_text("utf-8"), re.MULTILINE)
    }


def test_every_core_is_measured_or_like_one_that_is() -> None:
    assert sorted({*MEASURED, *ALIKE}) == CORES
    for cpu, like in ALIKE.items():
        features = load_target(cpu).features
        assert kernel_table(cpu, features, "size") == kernel_table(like, features, "size")


@pytest.mark.parametrize("cpu", MEASURED)
def test_every_kernel_is_in_the_table(cpu: str) -> None:
    table = json.loads((KERNELS / "tables" / f"{cpu}.json").read_text("utf-8"))
    assert set(table["kernels"]) == kernels(), "run make kernel-tables"
    assert set(table["paces"]) <= kernels(), "run make kernel-tables"


@pytest.mark.parametrize("cpu", MEASURED)
def test_code_has_a_size_in_every_mode(cpu: str) -> None:
    for mode in MODES:
        table = kernel_table(cpu, frozenset(), mode)
        for kernel in table.kernels:
            assert 4 <= sum(table.code(kernel).values()) < 64 * 1024
            assert 0 <= table.params_bytes(kernel) < 512


@pytest.mark.parametrize(
    ("features", "cpu"),
    [
        ({"fpu"}, "cortex-m3"),
        ({"thumb1"}, "cortex-m0plus"),
        ({"dsp", "fpu"}, "cortex-m4"),
        ({"dsp", "mve"}, "cortex-m55"),
    ],
)
def test_a_core_without_a_table_has_that_of_a_like_one(features: set[str], cpu: str) -> None:
    like = kernel_table("", frozenset(features), "size")
    assert like == kernel_table(cpu, frozenset(), "size")


def test_kernels_share_code() -> None:
    table = kernel_table("cortex-m55", frozenset(), "balanced")
    dense, conv = (table.code(f"edgec_{n}_int8_mve") for n in ("fully_connected", "conv_2d"))
    assert any("edgec_mve_products" in name for name in set(dense) & set(conv))
