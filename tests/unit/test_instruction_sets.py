"""A CPU that lacks instructions is refused, with what it lacks and what fits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgec.pipeline.errors import DeviceError
from edgec.targets.instruction_sets import check_cpu
from edgec.targets.native_cpu import flags_in
from edgec.targets.profile import load_target

PI4 = "processor\t: 0\nFeatures\t: fp asimd evtstrm crc32 cpuid\nCPU part\t: 0xd08\n"
PI5 = PI4.replace(
    "crc32 cpuid",
    "aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp",
)
PI2 = (
    "processor\t: 0\nmodel name\t: ARMv7 Processor rev 5 (v7l)\nFeatures\t: half thumb fastmult "
    "vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae evtstrm\n"
)
ARMV7_WITHOUT_NEON = PI2.replace(" neon", "").replace(" vfpv4", "")
HASWELL = (
    "processor\t: 0\nmodel name\t: a CPU: 3 GHz\nflags\t\t: fpu sse sse2 pni ssse3 fma cx16 sse4_1 "
    "sse4_2 movbe popcnt avx f16c lahf_lm abm bmi1 avx2 bmi2\n\nprocessor\t: 1\nflags\t\t: fpu\n"
)
ICE_LAKE = HASWELL.replace(
    " bmi2\n", " bmi2 avx512f avx512bw avx512cd avx512dq avx512vl avx512_vnni\n"
)
CORE2 = "flags\t\t: fpu sse sse2 pni ssse3 cx16 lahf_lm\n"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (PI4, ("rpi3", "rpi4", "rpi-zero2", "rpi-armv7")),
        (PI5, ("rpi4", "rpi5")),
        (PI2, ("rpi-armv7",)),
        (HASWELL, ("x86-64-v2", "x86-64-v3")),
        (ICE_LAKE, ("x86-64-v3", "x86-64-v4", "x86-64-v4-vnni")),
        ("", ("x86-64-v4", "rpi5")),
    ],
)
def test_a_cpu_with_all_flags_is_taken(text: str, names: tuple[str, ...]) -> None:
    for name in names:
        check_cpu("there", load_target(name), flags_in(text))


@pytest.mark.parametrize(
    ("text", "name", "lacks", "hint"),
    [
        (PI4, "rpi5", "asimddp, asimdhp, asimdrdm, atomics, fphp, lrcpc", "rpi-zero2 or rpi3 or"),
        (ARMV7_WITHOUT_NEON, "rpi-armv7", "neon, vfpv4", "too old"),
        (HASWELL, "x86-64-v4", "avx512f", "--target x86-64-v3"),
        (ICE_LAKE.replace(" avx512_vnni", ""), "x86-64-v4-vnni", "avx512_vnni", "x86-64-v4"),
        (CORE2, "x86-64-v2", "popcnt, sse4_1, sse4_2", "too old"),
    ],
)
def test_a_cpu_that_lacks_some_is_told_which_and_what_fits(
    text: str, name: str, lacks: str, hint: str
) -> None:
    with pytest.raises(DeviceError) as caught:
        check_cpu("pi (pi@host)", load_target(name), flags_in(text))
    assert f"pi (pi@host): its CPU has no {lacks}" in caught.value.message
    assert caught.value.message.endswith(f", which {name} needs")
    assert hint in caught.value.hint and caught.value.exit_code == 3


def test_a_program_for_this_machine_needs_what_this_machine_has() -> None:
    here = replace(load_target("x86"), needs=("avx512f", "avx512vl"))
    with pytest.raises(DeviceError, match=r"a program compiled for this machine \(x86\)") as caught:
        check_cpu("pc", here, flags_in(HASWELL))
    assert caught.value.hint == "build for it: --target x86-64-v3"
