"""What a device says of itself."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from edgec.pipeline.errors import DeviceError, InfrastructureError
from edgec.targets.frames import MAX_PAYLOAD, PROTOCOL_VERSION
from edgec.targets.frames import REPLY as REPLY
from edgec.targets.frames import Kind as Kind

_HELLO = struct.Struct("<BBBBIIHHHBB32s")

# What a timer kind is called, and what it counts: edgec_hal.h.
_TIMERS = {
    0: ("none", "cycles"),
    1: ("virtual", "instructions"),
    2: ("clock", "ns"),
    3: ("dwt", "cycles"),
    4: ("systick", "cycles"),
    5: ("timer", "cycles"),
    6: ("cpu", "cycles"),
}


@dataclass(frozen=True, slots=True)
class Hello:
    """What a device says of itself.

    `timer` names what counts there, chosen at run time: none, virtual, clock, dwt, systick, timer
    or cpu; `unit` is what it counts. `timer_hz` is also the core's clock where it counts cycles.
    `build` is a hash of what the image was compiled from.
    """

    model: str
    target: str
    sha256: str
    build: str
    timer: str
    unit: str
    timer_hz: int
    profile: bool
    has_state: bool
    arena_bytes: int
    max_payload: int
    max_runs: int
    layers: int
    input_bytes: tuple[int, ...]
    output_bytes: tuple[int, ...]


def parse_hello(data: bytes) -> Hello:
    """Return what the reply to HELLO says; raise DeviceError if other firmware answers."""
    if not data or data[0] != PROTOCOL_VERSION:
        version = data[0] if data else "none"
        raise DeviceError(
            f"wrong firmware on board: it speaks protocol {version}, {PROTOCOL_VERSION} wanted",
            "build and flash the firmware again",
        )
    try:
        fixed = _HELLO.unpack_from(data)
        (_, timer, profile, state, hz, arena, max_payload, max_runs, layers, ins, outs, sha) = fixed
        sizes = struct.unpack_from(f"<{ins + outs}I", data, _HELLO.size)
        at = _HELLO.size + 4 * (ins + outs)
        name, at = _text(data, at)
        target, at = _text(data, at)
        build, at = _text(data, at)
    except (struct.error, IndexError) as error:
        raise InfrastructureError(f"the device's HELLO is malformed: {error}") from error
    if timer not in _TIMERS or not hz or not 16 <= max_payload <= MAX_PAYLOAD or not max_runs:
        raise InfrastructureError("the device's HELLO is malformed: a value is out of range")
    return Hello(
        model=name,
        target=target,
        sha256=sha.hex(),
        build=build,
        timer=_TIMERS[timer][0],
        unit=_TIMERS[timer][1],
        timer_hz=hz,
        profile=bool(profile),
        has_state=bool(state),
        arena_bytes=arena,
        max_payload=max_payload,
        max_runs=max_runs,
        layers=layers,
        input_bytes=sizes[:ins],
        output_bytes=sizes[ins:],
    )


def _text(data: bytes, at: int) -> tuple[str, int]:
    """Return the text at an offset, its length before it, and where the next begins."""
    end = at + 1 + data[at]
    return data[at + 1 : end].decode("ascii", errors="replace"), end
