"""Uses a device over a bad line, and checks that nothing wrong is ever believed."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from edgec.pipeline.errors import InfrastructureError
from edgec.targets.device_protocol import Device, DeviceResetError, Timeouts
from tests.support.bad_line import BadLine
from tests.tiny_model import expected

# A round trip takes a millisecond where nobody else computes; inferences of the tiny model less.
QUICK = Timeouts(reply_s=0.03, inference_s=0.15)

# What a loaded machine may add to a wait, for each time that a thread waits for its turn.
SLACK_S = 5.0


@dataclass(slots=True)
class Tally:
    """What came of a torture; `longest_s` is the longest call, by its kind."""

    right: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    longest_s: dict[str, float] = field(default_factory=dict)
    retries: int = 0
    stale: int = 0


def bound_s(timeouts: Timeouts, requests: int, inferences: int) -> float:
    """Return how long `requests` may take at most, one of which runs `inferences`."""
    tries = sum(timeouts.reply_s * 3**attempt for attempt in range(3))
    # A start message has a request sent anew once, and its wait begun anew.
    waits = 2 * tries * requests
    # HELLO comes before the first request of a session; each inference may buy time, thrice.
    return waits + 2 * tries + 3 * (inferences + 1) * max(timeouts.inference_s, tries)


def torture(line: BadLine, device: Device, frames: int, seed: int) -> Tally:
    """Write, run and read until the line has seen so many frames; every answer must be right."""
    rng = random.Random(seed)
    tally = Tally()
    while line.frames < frames and line.failure is None:
        a = np.frombuffer(rng.randbytes(2000), np.int8)
        b = np.array([rng.randrange(-128, 128), 0, 0, rng.randrange(-128, 128)], np.int8)
        runs = rng.randint(1, 3)
        try:
            _timed(tally, "write", 3, 0, device, lambda a=a: device.write_input(0, a.tobytes()))
            _timed(tally, "write", 1, 0, device, lambda b=b: device.write_input(1, b.tobytes()))
            _timed(tally, "run", 1, runs, device, lambda n=runs: device.run(n))
            output = _timed(tally, "read", 2, 0, device, lambda: device.read_output(0))
        except DeviceResetError:
            tally.failures["the device was reset"] += 1
            continue
        except InfrastructureError as error:
            tally.failures[_kind(error)] += 1
            continue
        assert output == expected(a, b)[1].tobytes(), "a wrong output was believed"
        tally.right += 1
    tally.retries = device.retries
    return tally


def _timed(tally, what, requests, inferences, device, call):  # type: ignore[no-untyped-def]
    start = time.monotonic()
    try:
        return call()
    finally:
        took = time.monotonic() - start
        tally.longest_s[what] = max(tally.longest_s.get(what, 0.0), took)
        limit = bound_s(device.timeouts, requests, inferences) + SLACK_S
        assert took < limit, f"{what} took {took:.2f} s, {limit:.2f} s at most"


def _kind(error: InfrastructureError) -> str:
    for words in ("did not answer", "on another input", "is not what the run left"):
        if words in error.message:
            return words
    raise AssertionError(f"an error that the line cannot make: {error.message}") from error
