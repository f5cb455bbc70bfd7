"""The host's half of the protocol with the bench firmware.

Requests are idempotent and carry a sequence number; a device that sees one again repeats its
answer, so a lost or damaged frame costs a retry and nothing else.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import IntEnum

from edgec.pipeline.errors import DeviceError, InfrastructureError, MeasurementError, UsageError
from edgec.targets.frames import MAX_PAYLOAD, Decoder, Frame, encode
from edgec.targets.host_state import HostState
from edgec.targets.links.base import Link

PROTOCOL_VERSION = 1
REPLY = 0x80


class Kind(IntEnum):
    """Frame types; the reply to a request has the same number with the top bit set."""

    HELLO = 0x01
    WRITE = 0x02
    READ = 0x03
    RUN = 0x04
    LAYERS = 0x05
    STATS = 0x06
    LAYER_READ = 0x07
    RESET = 0x08
    LOG = 0xF0
    PROGRESS = 0xF1
    ERROR = 0xFF


_ERRORS = {
    1: "no such request",
    2: "a payload of the wrong length",
    3: "tensor, offset or length out of range",
    4: "the model returned an error",
    5: "only a profile build can do this",
    6: "no such layer output",
    7: "the stack was too small for the model",
}

_RUN_RESET = 1
_RUN_STACK = 2

_HELLO = struct.Struct("<BBBBIIHHHBB32s")
_LAYER = struct.Struct("<HHIQI")

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
class Timeouts:
    """Seconds to wait: for a sign of life (then 3 and 9 times that), and for one inference."""

    reply_s: float = 1.0
    inference_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Hello:
    """What a device says of itself.

    `timer` names what counts there, chosen at run time: none, virtual, clock, dwt, systick, timer
    or cpu; `unit` is what it counts. `timer_hz` is also the core's clock where it counts cycles.
    """

    model: str
    target: str
    sha256: str
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


@dataclass(frozen=True, slots=True)
class RunResult:
    """Counts of each timed inference, net of what an empty region costs."""

    counts: tuple[int, ...]
    unit: str


@dataclass(frozen=True, slots=True)
class LayerResult:
    """What a profile build measured of one layer output in the last inference."""

    layer: int
    output: int
    bytes: int
    count: int
    fnv1a: int


@dataclass(frozen=True, slots=True)
class Stats:
    """Link errors the device saw, and stack in bytes: used by one inference, and there."""

    bad_frames: int
    overflows: int
    stack_bytes: int
    stack_free_bytes: int


@dataclass(slots=True)
class Device:
    """A device running the bench firmware, behind a link.

    `instruction_ns` converts the timer of an emulator to instructions, `timer_hz` is what it really
    ticks at there; `emulator` names one under which no time means anything; `observe` reads the
    state of the computer that is measured. Every method raises InfrastructureError when the device
    does not answer or refuses.
    """

    link: Link
    instruction_ns: int | None = None
    timeouts: Timeouts = field(default_factory=Timeouts)
    emulator: str = ""
    observe: Callable[[], HostState] | None = None
    timer_hz: int | None = None
    logs: list[str] = field(default_factory=list)
    retries: int = 0
    _seq: int = 0
    _decoder: Decoder = field(default_factory=Decoder)
    _hello: Hello | None = None

    def hello(self) -> Hello:
        """Ask the device what it is."""
        hello = _parse_hello(self._request(Kind.HELLO, b""))
        if self.instruction_ns is not None and hello.unit != "ns":
            # An emulator's cycles pass with its instructions, at a rate the firmware cannot know.
            hz = self.timer_hz or hello.timer_hz
            hello = replace(hello, unit="instructions", timer_hz=hz)
        self._hello = hello
        return hello

    @property
    def info(self) -> Hello:
        """The answer to the last hello()."""
        return self._hello or self.hello()

    def expect(self, sha256: str, profile: bool) -> Hello:
        """Say hello and refuse a device that runs other firmware than the image just built."""
        hello = self.hello()
        if hello.sha256 != sha256 or hello.profile != profile:
            raise DeviceError(
                f"wrong firmware on board: it runs model {hello.model!r} "
                f"({hello.sha256[:12]}{', profile build' if hello.profile else ''}), "
                f"{sha256[:12]}{', profile build' if profile else ''} wanted",
                "flash the image again",
            )
        return hello

    def write_input(self, index: int, data: bytes) -> None:
        """Fill input `index`."""
        sizes = self.info.input_bytes
        if index >= len(sizes) or len(data) != sizes[index]:
            wanted = sizes[index] if index < len(sizes) else "no such input"
            raise UsageError(f"input {index}: got {len(data)} bytes, {wanted} wanted")
        step = self.info.max_payload - 5
        for offset in range(0, len(data), step):
            head = struct.pack("<BI", index, offset)
            self._request(Kind.WRITE, head + data[offset : offset + step])

    def read_output(self, index: int) -> bytes:
        """Read output `index`."""
        sizes = self.info.output_bytes
        if index >= len(sizes):
            raise UsageError(f"output {index}: the model has {len(sizes)}")
        tensor = len(self.info.input_bytes) + index
        data = b""
        while len(data) < sizes[index]:
            length = min(sizes[index] - len(data), self.info.max_payload)
            part = self._request(Kind.READ, struct.pack("<BIH", tensor, len(data), length))
            data += _exactly(part, length)
        return data

    def run(self, runs: int = 1, warmup: int = 0, *, reset: bool = False) -> RunResult:
        """Run the model, timing all but the `warmup` first; `reset` clears state before each."""
        counts: list[int] = []
        while True:
            now = min(runs - len(counts), self.info.max_runs)
            payload = struct.pack("<HHB", now, warmup, _RUN_RESET if reset else 0)
            reply = self._request(Kind.RUN, payload, running=True)
            counts += self._counts(reply, now)
            warmup = 0
            if len(counts) >= runs:
                return RunResult(tuple(counts), self.info.unit)

    def measure_stack(self, *, reset: bool = False) -> int:
        """Run the model once with the stack painted; return the bytes it used."""
        flags = _RUN_STACK | (_RUN_RESET if reset else 0)
        self._request(Kind.RUN, struct.pack("<HHB", 0, 1, flags), running=True)
        stats = self.stats()
        if stats.stack_bytes >= stats.stack_free_bytes:
            raise MeasurementError(
                f"the stack of {stats.stack_free_bytes} bytes was used up",
                "give the target profile a larger stack",
            )
        return stats.stack_bytes

    def layers(self) -> list[LayerResult]:
        """Read what a profile build recorded of the last inference, in order of execution."""
        found: list[LayerResult] = []
        total = 1
        while len(found) < total:
            reply = self._request(Kind.LAYERS, struct.pack("<H", len(found)))
            total, empty = struct.unpack_from("<HQ", reply)
            part = list(_LAYER.iter_unpack(reply[10:]))
            if not part and len(found) < total:
                raise InfrastructureError("the device sent an empty list of layers")
            for layer, output, size, ticks, fnv1a in part:
                count = self._count(ticks) - self._count(empty)
                found.append(LayerResult(layer, output, size, max(count, 0), fnv1a))
        return found

    def read_layer(self, layer: int, output: int, size_bytes: int) -> bytes:
        """Read what a layer computes for the current inputs; runs the model for each chunk."""
        data = b""
        while len(data) < size_bytes:
            length = min(size_bytes - len(data), self.info.max_payload)
            payload = struct.pack("<HHIH", layer, output, len(data), length)
            data += _exactly(self._request(Kind.LAYER_READ, payload, running=True), length)
        return data

    def reset(self) -> None:
        """Clear the arena and the recurrent state."""
        self._request(Kind.RESET, b"")

    def stats(self) -> Stats:
        """Ask for the counters of the link and the stack."""
        return Stats(*struct.unpack("<IIII", _exactly(self._request(Kind.STATS, b""), 16)))

    def _count(self, ticks: int) -> int:
        if self.info.unit != "instructions":
            return ticks
        if self.instruction_ns is None:
            raise MeasurementError("the device counts virtual time, but no emulator runs it")
        # Exact: a tick is under half an instruction, so rounding undoes the timer's truncation.
        divisor = self.info.timer_hz * self.instruction_ns
        return (2 * ticks * 10**9 + divisor) // (2 * divisor)

    def _counts(self, reply: bytes, runs: int) -> list[int]:
        empty, number, *ticks = struct.unpack(f"<QH{runs}Q", _exactly(reply, 10 + 8 * runs))
        if number != runs:
            raise InfrastructureError(f"the device timed {number} inferences, {runs} wanted")
        if not all(ticks):
            raise MeasurementError("an inference took no time: the timer does not run")
        # A clock that jitters may find nothing longer than the least of models.
        return [max(self._count(t) - self._count(empty), 1) for t in ticks]

    def _request(self, kind: Kind, payload: bytes, *, running: bool = False) -> bytes:
        self._seq = self._seq % 255 + 1
        wire = encode(Frame(kind, self._seq, payload))
        for attempt in range(3):
            self.retries += attempt > 0
            self.link.write(wire)
            reply = self._await(kind, self.timeouts.reply_s * 3**attempt, running)
            if reply is not None:
                return reply
        said = f"; it last said: {self.logs[-1]}" if self.logs else ""
        raise InfrastructureError(
            f"the device did not answer {kind.name} after 3 tries "
            f"({self._decoder.dropped} damaged frames){said}"
        )

    def _await(self, kind: Kind, timeout_s: float, running: bool) -> bytes | None:
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            for frame in self._decoder.feed(self.link.read(left)):
                if frame.kind == Kind.LOG:
                    self._log(frame)
                elif frame.seq != self._seq:
                    continue
                elif frame.kind == Kind.PROGRESS and running:
                    deadline = time.monotonic() + max(self.timeouts.inference_s, timeout_s)
                elif frame.kind == Kind.ERROR and len(frame.payload) >= 2:
                    why = _ERRORS.get(frame.payload[0], f"error {frame.payload[0]}")
                    raise InfrastructureError(f"the device refused {kind.name}: {why}")
                elif frame.kind == kind | REPLY:
                    return frame.payload
        return None

    def _log(self, frame: Frame) -> None:
        text = frame.payload.decode("ascii", errors="replace")
        self.logs.append(text)
        if text.startswith("hard fault"):
            raise InfrastructureError(f"the device stopped: {text}")


def _exactly(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise InfrastructureError(f"the device sent {len(data)} bytes, {size} wanted")
    return data


def _parse_hello(data: bytes) -> Hello:
    if not data or data[0] != PROTOCOL_VERSION:
        version = data[0] if data else "none"
        raise DeviceError(f"wrong firmware on board: it speaks protocol {version}, 1 wanted")
    try:
        fixed = _HELLO.unpack_from(data)
        (_, timer, profile, state, hz, arena, max_payload, max_runs, layers, ins, outs, sha) = fixed
        sizes = struct.unpack_from(f"<{ins + outs}I", data, _HELLO.size)
        at = _HELLO.size + 4 * (ins + outs)
        name = data[at + 1 : at + 1 + data[at]]
        at += 1 + data[at]
        target = data[at + 1 : at + 1 + data[at]]
    except (struct.error, IndexError) as error:
        raise InfrastructureError(f"the device's HELLO is malformed: {error}") from error
    if timer not in _TIMERS or not hz or not 16 <= max_payload <= MAX_PAYLOAD or not max_runs:
        raise InfrastructureError("the device's HELLO is malformed: a value is out of range")
    return Hello(
        model=name.decode("ascii", errors="replace"),
        target=target.decode("ascii", errors="replace"),
        sha256=sha.hex(),
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
