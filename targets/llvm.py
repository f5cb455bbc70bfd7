"""How LLVM names a target: from what its profile tells GCC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgec.targets.profile import Target

_ARCHITECTURES: Mapping[str, str] = {
    "cortex-m0": "thumbv6m",
    "cortex-m0plus": "thumbv6m",
    "cortex-m23": "thumbv8m.base",
    "cortex-m3": "thumbv7m",
    "cortex-m33": "thumbv8m.main",
    "cortex-m4": "thumbv7em",
    "cortex-m55": "thumbv8.1m.main",
    "cortex-m7": "thumbv7em",
}
_SYSTEMS: Mapping[str, str] = {
    "": "x86_64-linux-gnu",
    "aarch64-linux-gnu-": "aarch64-linux-gnu",
    "arm-linux-gnueabihf-": "armv7a-linux-gnueabihf",
}
_LANES: Mapping[str, int] = {"avx512": 16, "avx2": 8, "neon": 4}
"""How many float32 a vector of a feature has."""

NATIVE = "native"


@dataclass(frozen=True, slots=True)
class LlvmTarget:
    """Triple, CPU (`native` is this machine's), attributes as `+avx512vnni`, floats a vector."""

    triple: str
    cpu: str
    attributes: tuple[str, ...]
    float_abi: str
    lanes: int


def llvm_target(target: Target) -> LlvmTarget | None:
    """Return what LLVM compiles for; None where edgec does not know its name for the CPU."""
    flags = target.toolchain.cflags
    cpu = next((f.partition("=")[2] for f in flags if f.startswith(("-mcpu=", "-march="))), "")
    hard = "-mfloat-abi=hard" in flags
    prefix = target.toolchain.prefix
    if prefix == "arm-none-eabi-" and cpu in _ARCHITECTURES:
        triple = f"{_ARCHITECTURES[cpu]}-none-eabi{'hf' if hard else ''}"
    elif prefix in _SYSTEMS:
        triple = _SYSTEMS[prefix]
    else:
        return None
    x86 = triple.startswith("x86_64")
    attributes = [f"+{flag[2:]}" for flag in flags if x86 and flag.startswith("-mavx")]
    lanes = next((n for name, n in _LANES.items() if name in target.features), 4 if x86 else 1)
    soft = "soft" if triple.startswith("thumb") else ""
    abi = "hard" if hard else soft
    return LlvmTarget(triple, cpu or "x86-64", tuple(attributes), abi, lanes)
