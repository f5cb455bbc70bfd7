"""The state of a computer while it is measured: governor, clock, heat, throttling and load."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# Prints a line for each fact, and none for what a computer does not tell. POSIX shell.
PROBE = r"""
if [ -r /proc/device-tree/model ]; then
    echo "model=$(tr -d '\000' < /proc/device-tree/model)"
fi
cpu=/sys/devices/system/cpu/cpu0/cpufreq
for fact in governor cur_freq max_freq; do
    if [ -r "$cpu/scaling_$fact" ]; then echo "$fact=$(cat "$cpu/scaling_$fact")"; fi
done
for zone in /sys/class/thermal/thermal_zone*/temp; do
    if [ -r "$zone" ]; then echo "temp=$(cat "$zone" 2>/dev/null)"; fi
done
if command -v vcgencmd >/dev/null 2>&1; then vcgencmd get_throttled; fi
echo "cores=$(grep -c ^processor /proc/cpuinfo)"
echo "load=$(cut -d ' ' -f 1 /proc/loadavg)"
"""

# What the device tree of QEMU's `virt` machine says it is.
_VIRTUAL = "linux,dummy-virt"

# Bits of `vcgencmd get_throttled`: now; 16 bits higher, at some time since boot.
_THROTTLED = ("under-voltage", "frequency capped", "throttled", "soft temperature limit")


@dataclass(frozen=True, slots=True)
class HostState:
    """What a computer says of itself at one moment; None where it does not say.

    `throttled` are the bits of `vcgencmd get_throttled`. Clocks are of the first core, the
    temperature is that of the hottest zone.
    """

    model: str | None = None
    governor: str | None = None
    clock_hz: int | None = None
    max_clock_hz: int | None = None
    temperature_c: float | None = None
    throttled: int | None = None
    load: float | None = None
    cores: int | None = None


def parse_state(text: str) -> HostState:
    """Return what the output of PROBE says; lines that are not understood are left out."""
    facts: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and value:
            facts.setdefault(key, []).append(value)
    heat = [t for t in map(_number, facts.get("temp", [])) if t is not None]
    bits = facts.get("throttled", [""])[0]
    return HostState(
        model=facts.get("model", [None])[0],
        governor=facts.get("governor", [None])[0],
        clock_hz=_khz(facts.get("cur_freq")),
        max_clock_hz=_khz(facts.get("max_freq")),
        temperature_c=max(heat) / 1000 if heat else None,
        throttled=int(bits, 16) if _is_hex(bits) else None,
        load=_number(facts.get("load", [""])[0]),
        cores=round(_number(facts.get("cores", [""])[0]) or 0) or None,
    )


def whose_times(states: Sequence[HostState]) -> str:
    """Return what the times of a computer cannot be shown without; empty of one that is real."""
    if any(state.model == _VIRTUAL for state in states):
        return "of QEMU's virtual machine, no board's"
    return ""


def throttling(before: HostState, after: HostState) -> str:
    """Return what slowed the computer during a measurement; empty if nothing is known to have.

    A bit that says "since boot" counts only if it was not set before.
    """
    if before.throttled is None or after.throttled is None:
        return ""
    happened = after.throttled >> 16 & ~(before.throttled >> 16)
    bits = (before.throttled | after.throttled | happened) & 0xF
    return ", ".join(name for bit, name in enumerate(_THROTTLED) if bits >> bit & 1)


def remarks(before: HostState, after: HostState) -> tuple[str, ...]:
    """Return what makes a measurement less than it could be, as warnings."""
    found = []
    if whose_times((before, after)):
        found.append("the device is QEMU's virtual machine: its times say nothing of a board")
    if before.governor not in (None, "performance"):
        found.append(f"the CPU governor is {before.governor!r}, not 'performance'")
    if before.load is not None and before.load > 0.5 * (before.cores or 1):
        found.append(f"the load of the device was {before.load:g} before the measurement")
    if before.throttled is not None and before.throttled >> 16 and not before.throttled & 0xF:
        found.append("the device has been throttled since it was booted, but not now")
    if None not in (before.temperature_c, after.temperature_c):
        rise = (after.temperature_c or 0) - (before.temperature_c or 0)
        if rise > 5:
            found.append(f"the device warmed by {rise:.1f} °C during the measurement")
    return tuple(found)


def _khz(values: Sequence[str] | None) -> int | None:
    number = _number(values[0]) if values else None
    return None if number is None else round(number * 1000)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _is_hex(text: str) -> bool:
    return re.fullmatch(r"0x[0-9a-fA-F]+", text) is not None
