"""What kernels take on each core, as measured: bytes of code, bytes of parameters, and pace.

The tables are `kernels/tables/<cpu>.json`, one a core, written by `make kernel-tables`, which takes
up every kernel file it finds. Lists in them have one entry a mode, in the order of `MODES`:

- `sections`: bytes of flash of every section that some kernel links, of the C library's too;
- `kernels`: which sections each kernel links, shared ones included;
- `params`: bytes of each kernel's parameters;
- `paces`: instructions counted on the core for each instruction that the kernel's cost states.

A machine where time is measured (`x86`) has paces only, by what the plain convolution takes, and
the rest from the table of a core that it is `like`.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Literal

Optimize = Literal["size", "balanced", "speed"]
MODES: tuple[Optimize, ...] = ("size", "balanced", "speed")

UNMEASURED_BYTES = 1000
"""Code of a kernel that is not in the table yet; a test asks for it to be."""


@dataclass(frozen=True, slots=True)
class KernelTable:
    """The table of one core in one mode."""

    sections: Mapping[str, int]
    kernels: Mapping[str, Sequence[str]]
    params: Mapping[str, int]
    paces: Mapping[str, float]
    usual_pace: float
    """Of a kernel that was not counted, as no benchmark model has a layer for it."""

    def code(self, kernel: str) -> Mapping[str, int]:
        """Return the flash of the sections that a kernel links."""
        if kernel and kernel not in self.kernels:
            return {kernel: UNMEASURED_BYTES}
        return {name: self.sections[name] for name in self.kernels.get(kernel, ())}

    def params_bytes(self, kernel: str) -> int:
        """Return the flash of a kernel's parameters, without the arrays they point to."""
        return self.params.get(kernel, 0)

    def instructions(self, kernel: str, stated: int) -> int:
        """Return what a kernel takes on this core, where its cost states `stated`."""
        return round(stated * self.paces.get(kernel, self.usual_pace))


def kernel_table(cpu: str, features: frozenset[str], optimize: Optimize) -> KernelTable:
    """Return the table of a core; of a like one, by its features, where it has none of its own."""
    return _table(cpu if cpu in _measured() else _alike(cpu, features), optimize)


@cache
def _measured() -> frozenset[str]:
    folder = resources.files("edgec.codegen") / "kernels" / "tables"
    return frozenset(f.name.removesuffix(".json") for f in folder.iterdir())


def _alike(cpu: str, features: frozenset[str]) -> str:
    if cpu.startswith("cortex-a"):
        return "x86"  # the core that has caches and wide multipliers too
    for feature, cpu in (("thumb1", "cortex-m0plus"), ("mve", "cortex-m55"), ("dsp", "cortex-m4")):
        if feature in features:
            return cpu
    return "cortex-m3"


@cache
def _table(cpu: str, optimize: Optimize) -> KernelTable:
    file = resources.files("edgec.codegen") / "kernels" / "tables" / f"{cpu}.json"
    table = json.loads(file.read_text(encoding="utf-8"))
    mode = MODES.index(optimize)
    paces = {name: paces[mode] for name, paces in table["paces"].items()}
    if "like" in table:
        paces = {name: paces[mode] for name, paces in table["paces"].items()}
        return replace(_table(table["like"], optimize), paces=paces)
    return KernelTable(
        {name: sizes[mode] for name, sizes in table["sections"].items()},
        table["kernels"],
        table["params"],
        paces,
        statistics.median(paces.values()),
    )
