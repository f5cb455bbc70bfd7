"""What the CPU of this machine can do: the features of targets that are the machine itself."""

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


def cpu_flags() -> frozenset[str]:
    """Return the flags that Linux lists for this machine's CPU; none where it lists none."""
    text = CPUINFO.read_text(encoding="utf-8") if CPUINFO.exists() else ""
    lines = (line.split() for line in text.splitlines())
    found = next((words for words in lines if words[:1] in (["flags"], ["Features"])), [])
    return frozenset(found)


def cpu_features() -> frozenset[str]:
    """Return the features, as profiles name them, of this machine's CPU."""
    flags = cpu_flags()
    return frozenset(feature for feature, wanted in _WANTED if flags.issuperset(wanted))
