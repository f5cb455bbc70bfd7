"""What a CPU can do, as Linux tells: the features of this machine, the flags that programs need."""

from __future__ import annotations

from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")

_WANTED = (
    ("neon", ("asimd",)),
    ("neon", ("neon",)),
    ("dotprod", ("asimddp",)),
    ("avx2", ("avx", "avx2", "fma")),
    ("avx512", ("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")),
    ("vnni", ("avx512_vnni", "avx512vl")),
    ("vnni", ("avx_vnni",)),
)
"""Features, and the flags by which Linux tells that a CPU has them."""

_COMPILED = frozenset({
    "pni", "ssse3", "sse4_1", "sse4_2", "sse4a", "popcnt", "avx", "avx2", "fma", "fma4", "xop",
    "f16c", "bmi1", "bmi2", "abm", "tbm", "movbe", "avx_vnni", "avx512f", "avx512bw", "avx512cd",
    "avx512dq", "avx512vl", "avx512ifma", "avx512vbmi", "avx512_vbmi2", "avx512_vnni",
    "avx512_bitalg", "avx512_vpopcntdq", "avx512_fp16",
})  # fmt: skip
"""What -march=native makes compilers use, of C as we write it."""

_ARMV7 = frozenset({"neon", "vfpv4", "idiva", "idivt"})


def flags_in(text: str) -> frozenset[str]:
    """Return the flags that a /proc/cpuinfo lists for its first CPU; none where it lists none.

    A kernel of 64 bits lists its own flags even to programs of 32 bits, which have Armv7's.
    """
    lines = (line.replace(":", " : ", 1).split() for line in text.splitlines())
    found = next((words for words in lines if words[:1] in (["flags"], ["Features"])), [])
    flags = frozenset(found[2:])
    return flags | _ARMV7 if "asimd" in flags else flags


def cpu_flags() -> frozenset[str]:
    """Return the flags of this machine's CPU."""
    return flags_in(CPUINFO.read_text(encoding="utf-8") if CPUINFO.exists() else "")


def cpu_features() -> frozenset[str]:
    """Return the features, as profiles name them, of this machine's CPU."""
    flags = cpu_flags()
    return frozenset(feature for feature, wanted in _WANTED if flags.issuperset(wanted))


def compiled_flags() -> tuple[str, ...]:
    """Return the flags that a program needs which is compiled for this machine's CPU, sorted."""
    return tuple(sorted(cpu_flags() & _COMPILED))
