"""The host's half of the protocol with the bench firmware.

Requests are idempotent and carry a sequence number; a device that sees one again repeats its
answer, so a lost or damaged frame costs a retry and nothing else. A run's answer carries the CRC of
every tensor: what was computed from other inputs than were sent, or is read after something
overwrote it, is refused. A device that was reset no longer knows the session, and says so.
"""

from __future__ import annotations

import secrets
import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from edgec.pipeline.errors import DeviceError, InfrastructureError, MeasurementError, UsageError
from edgec.targets.counter_wrap import refuse_wrapped
from edgec.targets.device_messages import Hello, parse_hello
from edgec.targets.frames import REPLY, Decoder, Frame, Kind, encode
from edgec.targets.host_state import HostState
from edgec.targets.links.base import Link

_ERRORS = {
    1: "no such request",
    2: "a payload of the wrong length",
    3: "tensor, offset or length out of range",
    4: "the model returned an error",
    5: "only a profile build can do this",
    6: "no such layer output",
    7: "the stack was too small for the model",
}

_NO_SESSION = 8

_RUN_RESET = 1
_RUN_STACK = 2

_LAYER = struct.Struct("<HHIQI")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait: for a sign of life (then 3 and 9 times that), and for one inference."""

    reply_s: float = 1.0
    inference_s: float = 300.0


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
    """Link errors the device saw, and stack in bytes: used by one inference, and there.

    `stale_frames` came long after their turn. `peak_kib` is the most memory that a process has
    had, 0 where no process runs the model.
    """

    bad_frames: int
    overflows: int
    stack_bytes: int
    stack_free_bytes: int
    stale_frames: int
    peak_kib: int


class DeviceResetError(InfrastructureError):
    """The device started anew while it was in use; what it held is lost."""


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
    _inputs: dict[int, int] = field(default_factory=dict)
    _outputs: dict[int, int] = field(default_factory=dict)
    _stamps: dict[int, float] = field(default_factory=dict)

    def hello(self) -> Hello:
        """Ask the device what it is; opens a session, so that a reset is noticed from then on."""
        self._hello = None
        self._inputs.clear()
        self._outputs.clear()
        hello = parse_hello(self._request(Kind.HELLO, secrets.token_bytes(4)))
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

    def expect(self, sha256: str, profile: bool, build: str) -> Hello:
        """Say hello and refuse a device that runs other firmware than the image just built."""
        hello = self.hello()
        if (hello.sha256, hello.profile, hello.build) != (sha256, profile, build):
            raise DeviceError(
                f"wrong firmware on board: it runs model {hello.model!r} for {hello.target} "
                f"({_named(hello.sha256, hello.build, hello.profile)}), "
                f"{_named(sha256, build, profile)} wanted",
                "flash the image again",
                "wrong-firmware",
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
        self._inputs[index] = zlib.crc32(data)

    def read_output(self, index: int) -> bytes:
        """Read output `index`; refuse it if it is not what the last run left there."""
        sizes = self.info.output_bytes
        if index >= len(sizes):
            raise UsageError(f"output {index}: the model has {len(sizes)}")
        if index not in self._outputs:
            raise UsageError(f"output {index}: nothing has run since the device started")
        tensor = len(self.info.input_bytes) + index
        data = b""
        while len(data) < sizes[index]:
            length = min(sizes[index] - len(data), self.info.max_payload)
            part = self._request(Kind.READ, struct.pack("<BIH", tensor, len(data), length))
            data += _exactly(part, length)
        if zlib.crc32(data) != self._outputs[index]:
            raise InfrastructureError(
                f"output {index} is not what the run left there: the device was reset meanwhile, "
                "or its memory is overwritten"
            )
        return data

    def run(self, runs: int = 1, warmup: int = 0, *, reset: bool = False) -> RunResult:
        """Run the model, timing all but the `warmup` first; `reset` clears state before each."""
        counts: list[int] = []
        while True:
            now = min(runs - len(counts), self.info.max_runs)
            payload = struct.pack("<HHB", now, warmup, _RUN_RESET if reset else 0)
            reply = self._request(Kind.RUN, payload, running=True)
            counts += self._counts(reply, now)
            refuse_wrapped(self.info, counts[len(counts) - now :], self._stamps)
            warmup = 0
            if len(counts) >= runs:
                return RunResult(tuple(counts), self.info.unit)

    def measure_stack(self, *, reset: bool = False) -> int:
        """Run the model once with the stack painted; return the bytes it used."""
        flags = _RUN_STACK | (_RUN_RESET if reset else 0)
        self._counts(self._request(Kind.RUN, struct.pack("<HHB", 0, 1, flags), running=True), 0)
        stats = self.stats()
        if stats.stack_bytes == 0:
            raise DeviceResetError("the device has measured no stack: it was reset meanwhile")
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
            if total == 0:
                raise DeviceResetError("the device has recorded no layers: it was reset meanwhile")
            part = list(_LAYER.iter_unpack(reply[10:]))
            if not part and len(found) < total:
                raise InfrastructureError("the device sent an empty list of layers")
            for layer, output, size, ticks, fnv1a in part:
                count = self._count(ticks) - self._count(empty)
                found.append(LayerResult(layer, output, size, max(count, 0), fnv1a))
        return found

    def layer_names(self) -> list[str]:
        """Read what a runtime calls the layers of layers(), in the same order."""
        names: list[str] = []
        total = 1
        while len(names) < total:
            reply = self._request(Kind.LAYER_NAMES, struct.pack("<H", len(names)))
            (total,) = struct.unpack_from("<H", reply)
            part = reply[2:].decode("utf-8", errors="replace").split("\0")[:-1]
            if not part:
                raise InfrastructureError("the device sent an empty list of layer names")
            names += part
        return names

    def read_layer(self, layer: int, output: int, size_bytes: int) -> bytes:
        """Read what a layer computes for the current inputs; runs the model for each chunk."""
        data = b""
        head = 4 * len(self.info.input_bytes)
        while len(data) < size_bytes:
            length = min(size_bytes - len(data), self.info.max_payload - head)
            payload = struct.pack("<HHIH", layer, output, len(data), length)
            reply = _exactly(self._request(Kind.LAYER_READ, payload, running=True), head + length)
            self._check_inputs(reply[:head])
            data += reply[head:]
        self._outputs.clear()
        return data

    def reset(self) -> None:
        """Clear the arena and the recurrent state."""
        self._request(Kind.RESET, b"")

    def let_pass(self, ms: int) -> tuple[int, float]:
        """Let `ms` pass by the device's clock; return its ticks, and the seconds here."""
        reply = self._request(Kind.CLOCK, struct.pack("<H", ms), running=True)
        if 0 not in self._stamps:
            raise InfrastructureError("the device did not say when it looked at its clock")
        seconds = time.monotonic() - self._stamps[0]
        return int.from_bytes(_exactly(reply, 8), "little"), seconds

    def stats(self) -> Stats:
        """Ask for the counters of the link and the stack."""
        return Stats(*struct.unpack("<6I", _exactly(self._request(Kind.STATS, b""), 24)))

    def _count(self, ticks: int) -> int:
        if self.info.unit != "instructions":
            return ticks
        if self.instruction_ns is None:
            raise MeasurementError("the device counts virtual time, but no emulator runs it")
        # Exact: a tick is under half an instruction, so rounding undoes the timer's truncation.
        divisor = self.info.timer_hz * self.instruction_ns
        return (2 * ticks * 10**9 + divisor) // (2 * divisor)

    def _counts(self, reply: bytes, runs: int) -> list[int]:
        ins, outs = len(self.info.input_bytes), len(self.info.output_bytes)
        size = 10 + 8 * runs
        _exactly(reply, size + 4 * (ins + outs))
        empty, number, *ticks = struct.unpack(f"<QH{runs}Q", reply[:size])
        self._check_inputs(reply[size : size + 4 * ins])
        self._outputs = dict(enumerate(struct.unpack(f"<{outs}I", reply[size + 4 * ins :])))
        if number != runs:
            raise InfrastructureError(f"the device timed {number} inferences, {runs} wanted")
        if not all(ticks):
            raise MeasurementError("an inference took no time: the timer does not run")
        # A clock that jitters may find nothing longer than the least of models.
        return [max(self._count(t) - self._count(empty), 1) for t in ticks]

    def _check_inputs(self, crcs: bytes) -> None:
        for index, (crc,) in enumerate(struct.iter_unpack("<I", crcs)):
            if crc != self._inputs.get(index, crc):
                raise InfrastructureError(
                    f"the device ran on another input {index} than was sent: it was reset "
                    "meanwhile, or its memory is overwritten"
                )

    def _request(self, kind: Kind, payload: bytes, *, running: bool = False) -> bytes:
        if self._hello is None and kind is not Kind.HELLO:
            self.hello()
        self._seq = self._seq % 255 + 1
        wire = encode(Frame(kind, self._seq, payload))
        for attempt in range(3):
            self.retries += attempt > 0
            self.link.write(wire)
            reply = self._await(kind, wire, self.timeouts.reply_s * 3**attempt, running)
            if reply is not None:
                return reply
        said = f"; it last said: {self.logs[-1]}" if self.logs else ""
        raise InfrastructureError(
            f"the device did not answer {kind.name} after 3 tries "
            f"({self._decoder.dropped} damaged frames){said}"
        )

    def _await(self, kind: Kind, wire: bytes, timeout_s: float, running: bool) -> bytes | None:
        deadline = time.monotonic() + timeout_s
        done = -1
        self._stamps.clear()
        while (left := deadline - time.monotonic()) > 0:
            for frame in self._decoder.feed(self.link.read(left)):
                if frame.kind == Kind.LOG:
                    self._log(frame)
                elif frame.kind == Kind.BOOT and self._hello is not None:
                    # It may be an old frame: only the device's answer tells.
                    self.link.write(wire)
                    deadline = min(deadline, time.monotonic() + timeout_s)
                elif frame.seq != self._seq:
                    continue
                elif frame.kind == Kind.PROGRESS and running:
                    # Each inference may take its time, but a repeated frame must not buy more.
                    now = int.from_bytes(frame.payload[:4], "little")
                    if now > done:
                        done = now
                        self._stamps[now] = time.monotonic()
                        deadline = time.monotonic() + max(self.timeouts.inference_s, timeout_s)
                elif frame.kind == Kind.ERROR and len(frame.payload) >= 2:
                    raise self._refusal(kind, frame.payload[0])
                elif frame.kind == kind | REPLY:
                    return frame.payload
        return None

    def _refusal(self, kind: Kind, code: int) -> InfrastructureError:
        if code == _NO_SESSION:
            self._hello = None
            return DeviceResetError(
                f"the device was reset before or during {kind.name}",
                "look at its supply, its watchdog and what else resets it; then run again",
            )
        why = _ERRORS.get(code, f"error {code}")
        return InfrastructureError(f"the device refused {kind.name}: {why}")

    def _log(self, frame: Frame) -> None:
        text = frame.payload.decode("ascii", errors="replace")
        self.logs.append(text)
        if text.startswith("hard fault"):
            raise InfrastructureError(f"the device stopped: {text}")


def _named(sha256: str, build: str, profile: bool) -> str:
    return f"{sha256[:12]}, build {build}{', profile build' if profile else ''}"


def _exactly(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise InfrastructureError(f"the device sent {len(data)} bytes, {size} wanted")
    return data
