"""A device that speaks MLPerf Tiny's protocol: commands that end in '%', answered by lines.

The protocol has no checksum. What can be checked without changing it is: the model file, target and
timer (`xid`) and the CRC of the input (`xcrc`) where our firmware answers, and results asked for
twice. A device that starts anew says so by its first lines.
"""

from __future__ import annotations

import re
import secrets
import time
import zlib
from dataclasses import dataclass, field

from edgec.pipeline.errors import DeviceError, InfrastructureError, MeasurementError
from edgec.targets.device_protocol import DeviceResetError
from edgec.targets.links.base import Link

READY = "m-ready"

# What the official runner sends in one command, half of what the firmware's buffer takes.
CHUNK_BYTES = 31

# How often a device is asked whether it is there.
PROBES = 8

_NAME = re.compile(r"^m-name-dut-\[([^]]+)]$")
_PROFILE = re.compile(r"^m-(model|profile)-\[([^]]+)]$")
_LAP = re.compile(r"^m-lap-us-([0-9]+)$")
_RESULTS = re.compile(r"^m-results-\[([^]]+)]$")
_XID = re.compile(r"^m-xid-\[([^]]+)]$")
_XCRC = re.compile(r"^m-xcrc-\[([0-9a-f]{8})]$")


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds to wait for a line: of most commands, and of an inference, as the runner does.

    `probe_s` is for the first answer of a device, which may not have started yet.
    """

    line_s: float = 5.0
    infer_s: float = 30.0
    probe_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Identity:
    """What a device says of itself; all after `model` only our firmware knows."""

    name: str
    profile: str
    model: str
    sha256: str = ""
    build: str = ""
    target: str = ""
    timer: str = ""
    timer_hz: int = 0


@dataclass(frozen=True, slots=True)
class Inference:
    """What one `infer` gave: times by the device's clock, and by ours between the two laps."""

    results: tuple[float, ...]
    start_us: int
    end_us: int
    host_s: float

    @property
    def elapsed_us(self) -> int:
        """Microseconds that all timed inferences took together."""
        return self.end_us - self.start_us


@dataclass(slots=True)
class MlperfDevice:
    """A device behind a link. Methods raise InfrastructureError if it is silent or refuses.

    `timer_hz` is what its timer really ticks at where an emulator takes no notice of how the
    firmware sets its clock; its times are corrected by that.
    """

    link: Link
    waits: Waits = field(default_factory=Waits)
    timer_hz: int | None = None
    retries: int = 0
    _text: bytes = b""
    _identity: Identity | None = None

    def command(self, text: str, line_s: float | None = None) -> list[str]:
        """Send a command; return the lines of its answer without the last, which says ready."""
        return [line for line, _ in self._exchange(text, line_s or self.waits.line_s)]

    def identify(self) -> Identity:
        """Find the start of an answer on the line, then ask who is there."""
        self._synchronise()
        name = _one(_NAME, self.command("name"), "name")
        said = [m for m in map(_PROFILE.match, self.command("profile")) if m]
        facts = {match[1]: match[2] for match in said}
        if not {"model", "profile"} <= facts.keys():
            raise InfrastructureError("the device did not answer 'profile' as MLPerf Tiny asks")
        answer = self._exchange("xid", self.waits.line_s, errors=True)
        xid = next((m[1] for m in (_XID.match(line) for line, _ in answer) if m), "")
        own = dict(part.split("=", 1) for part in xid.split(",") if "=" in part)
        self._identity = Identity(
            name,
            facts["profile"],
            facts["model"],
            own.get("model", ""),
            own.get("build", ""),
            own.get("target", ""),
            own.get("timer", ""),
            int(own.get("hz", "0")) if own.get("hz", "0").isdecimal() else 0,
        )
        return self._identity

    @property
    def identity(self) -> Identity:
        """The answer to the last identify()."""
        return self._identity or self.identify()

    def expect(self, model: str, sha256: str, build: str) -> Identity:
        """Identify the device; raise DeviceError if it runs another image than was built.

        Of firmware that is not ours only the benchmark's name of the model is known.
        """
        found = self.identify()
        ours = (found.sha256, found.build)
        if found.model != model or (found.sha256 and ours != (sha256, build)):
            raise DeviceError(
                f"wrong firmware on board: it runs {found.model} "
                f"({found.sha256[:12] or 'unknown'}, build {found.build or 'unknown'}), "
                f"{model} ({sha256[:12]}, build {build}) wanted",
                "flash the image again",
            )
        return found

    def timestamp(self) -> int:
        """Return microseconds by the device's clock."""
        return int(_one(_LAP, self.command("timestamp"), "timestamp"))

    def load(self, data: bytes) -> None:
        """Fill the device's buffer; check it by its CRC where the firmware can, and try thrice."""
        checked = bool(self.identity.sha256)
        for attempt in range(3):
            self.retries += attempt > 0
            try:
                self._load(data, checked)
            except DeviceResetError:
                raise
            except InfrastructureError as error:
                if attempt == 2:
                    raise InfrastructureError(
                        f"an input of {len(data)} bytes did not arrive in 3 tries: {error.message}"
                    ) from error
                self._synchronise()
            else:
                return

    def infer(self, count: int, warmup: int, line_s: float | None = None) -> Inference:
        """Run `warmup` inferences, then `count` that are timed; return time and results."""
        lines = self._exchange(f"infer {count} {warmup}", line_s or self.waits.infer_s)
        laps = [(int(m[1]), at) for m, at in ((_LAP.match(x), at) for x, at in lines) if m]
        results = _one(_RESULTS, [line for line, _ in lines], "infer")
        if len(laps) != 2:
            raise InfrastructureError(f"the device sent {len(laps)} times for 'infer', 2 wanted")
        if results != _one(_RESULTS, self.command("results"), "results"):
            raise InfrastructureError("the device gives other results when asked again")
        (start, here), (end, there) = laps
        if end <= start:
            raise MeasurementError("inferences took no time: the device's clock does not run")
        return Inference(_numbers(results), self._real(start), self._real(end), there - here)

    def _real(self, time_us: int) -> int:
        said = self.identity.timer_hz
        return time_us if not self.timer_hz else time_us * said // self.timer_hz

    def _load(self, data: bytes, checked: bool) -> None:
        self.command(f"db load {len(data)}")
        lines: list[str] = []
        for at in range(0, len(data), CHUNK_BYTES):
            lines = self.command(f"db {data[at : at + CHUNK_BYTES].hex()}")
        if "m-load-done" not in lines:
            raise InfrastructureError("the device has not got all bytes of its input")
        if checked:
            got = int(_one(_XCRC, self.command("xcrc"), "xcrc"), 16)
            if got != zlib.crc32(data):
                raise InfrastructureError("the device's input is not what was sent")

    def _synchronise(self) -> None:
        """End what the line may hold of a command, and find the answer to one of our own."""
        for _ in range(PROBES):
            mark = f"xsync{secrets.token_hex(4)}"
            self.link.write(f"%{mark}%".encode())
            if self._read_until(mark):
                return
        raise InfrastructureError(
            f"no answer in {PROBES} tries: no firmware that speaks MLPerf Tiny is there",
            "flash an image that was built with MLPERF=1; look at port and baud rate",
        )

    def _read_until(self, mark: str) -> bool:
        """Return whether a line holds the mark, and ready comes after it."""
        found = False
        while (line := self._line(self.waits.probe_s)) is not None:
            found |= mark in line
            if found and READY in line:
                return True
        return False

    def _exchange(
        self, text: str, line_s: float, *, errors: bool = False
    ) -> list[tuple[str, float]]:
        """Return the lines of an answer and when each came; refuse errors unless they may be."""
        self.link.write(f"{text}%".encode())
        lines: list[tuple[str, float]] = []
        while (line := self._line(line_s)) is not None:
            if READY in line:
                wrong = [said for said, _ in lines if said.startswith("e-[")]
                if wrong and not errors:
                    raise InfrastructureError(f"the device refused {_brief(text)}: {wrong[0]}")
                return lines
            if line.startswith(("m-timestamp-mode", "m-init-done")):
                raise DeviceResetError(
                    f"the device was reset before or during {_brief(text)}",
                    "look at its supply, its watchdog and what else resets it; then run again",
                )
            if line.startswith("e-[hard fault"):
                raise InfrastructureError(f"the device stopped: {line}")
            lines.append((line, time.monotonic()))
        raise InfrastructureError(f"no answer to {_brief(text)} within {line_s:g} s")

    def _line(self, timeout_s: float) -> str | None:
        """Return the next line that is not empty; None if none ends in time."""
        deadline = time.monotonic() + timeout_s
        while True:
            while b"\n" in self._text:
                raw, self._text = self._text.split(b"\n", 1)
                line = raw.decode("ascii", errors="replace").replace("\r", "").replace("\0", "")
                if line:
                    return line
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            # Garbage without an end of line must not pile up.
            self._text = (self._text + self.link.read(left))[-65536:]


def _one(pattern: re.Pattern[str], lines: list[str], command: str) -> str:
    found = [match[1] for match in map(pattern.match, lines) if match]
    if len(found) != 1:
        raise InfrastructureError(f"the device did not answer {command!r} as MLPerf Tiny asks")
    return found[0]


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise InfrastructureError(f"the device's results are no numbers: {text!r}") from error


def _brief(command: str) -> str:
    return repr(command if len(command) <= 24 else f"{command[:20]}…")
