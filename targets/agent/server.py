"""The device's half of the protocol: requests come on the input, answers go to the output."""

from __future__ import annotations

import gc
import hashlib
import os
import struct
import time
import traceback
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from edgec.targets.frames import (
    MAX_PAYLOAD,
    PROTOCOL_VERSION,
    REPLY,
    Decoder,
    Frame,
    Kind,
    encode,
)

_CLOCK = 2
_LAYERS_PER_FRAME = 50
_RUN_RESET = 1

_NO_REQUEST, _LENGTH, _RANGE, _MODEL, _PROFILE, _SESSION = 1, 2, 3, 4, 5, 8

Send = Callable[[bytes], None]


class Layer(Protocol):
    """What a runtime tells of a layer of the last inference."""

    name: str
    bytes: int
    ns: int


class Model(Protocol):
    """A model in a runtime. Inputs and outputs are raw bytes."""

    input_bytes: list[int]
    output_bytes: list[int]
    has_state: bool
    profile: bool

    def load(self, inputs: list[bytearray]) -> None:
        """Take the inputs of the next inference."""

    def run(self) -> None:
        """Run one inference: all of what is timed."""

    def outputs(self) -> list[bytes]:
        """Return what the last inference answered."""

    def reset(self) -> None:
        """Clear the state that survives an inference."""

    def layers(self) -> list[Layer]:
        """Return the layers of the last inference, where the runtime tells."""


class RefusedError(Exception):
    """A request that cannot be answered; the code is that of the firmware."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Server:
    """Answers requests about one model."""

    def __init__(self, model: Model, file: Path, texts: tuple[str, ...], send: Send) -> None:
        self.model = model
        self.sha256 = _sha256(file)
        self.texts = texts
        self.send = send
        self.inputs = [bytearray(size) for size in model.input_bytes]
        self.outputs = [bytes(size) for size in model.output_bytes]
        self._layers: list[Layer] = []
        self._decoder = Decoder()
        self._answered: tuple[Frame, bytes] | None = None
        self._in_session = False

    def feed(self, data: bytes) -> None:
        """Take bytes from the host and answer the requests that they complete."""
        for request in self._decoder.feed(data):
            if self._answered is None or self._answered[0] != request:
                self._answered = (request, encode(self._answer(request)))
            self.send(self._answered[1])

    def _answer(self, request: Frame) -> Frame:
        self._in_session |= request.kind == Kind.HELLO
        try:
            if not self._in_session:
                raise RefusedError(_SESSION)
            answer = _ANSWERS.get(request.kind)
            if answer is None:
                raise RefusedError(_NO_REQUEST)
            return Frame(request.kind | REPLY, request.seq, answer(self, request))
        except struct.error:
            return Frame(Kind.ERROR, request.seq, bytes([_LENGTH, request.kind]))
        except RefusedError as refused:
            return Frame(Kind.ERROR, request.seq, bytes([refused.code, request.kind]))

    def _hello(self, request: Frame) -> bytes:
        del request
        model = self.model
        sizes = [*model.input_bytes, *model.output_bytes]
        fixed = struct.pack(
            "<BBBBIIHHHBB", PROTOCOL_VERSION, _CLOCK, model.profile, model.has_state, 10**9, 0,
            MAX_PAYLOAD, self._max_runs(), 0, len(model.input_bytes), len(model.output_bytes),
        )  # fmt: skip
        texts = b"".join(
            bytes([len(text)]) + text
            for text in (word.encode("ascii", "replace")[:63] for word in self.texts)
        )
        return fixed + self.sha256 + struct.pack(f"<{len(sizes)}I", *sizes) + texts

    def _max_runs(self) -> int:
        tensors = len(self.inputs) + len(self.outputs)
        return min((MAX_PAYLOAD - 10 - 4 * tensors) // 8, 120)

    def _write(self, request: Frame) -> bytes:
        index, offset = struct.unpack_from("<BI", request.payload)
        data = request.payload[5:]
        if index >= len(self.inputs) or offset + len(data) > len(self.inputs[index]):
            raise RefusedError(_RANGE)
        self.inputs[index][offset : offset + len(data)] = data
        return b""

    def _read(self, request: Frame) -> bytes:
        index, offset, length = struct.unpack("<BIH", request.payload)
        tensors: list[bytes | bytearray] = [*self.inputs, *self.outputs]
        if index >= len(tensors) or offset + length > len(tensors[index]) or length > MAX_PAYLOAD:
            raise RefusedError(_RANGE)
        return bytes(tensors[index][offset : offset + length])

    def _run(self, request: Frame) -> bytes:
        runs, warmup, flags = struct.unpack("<HHB", request.payload)
        if runs > self._max_runs():
            raise RefusedError(_RANGE)
        start = time.perf_counter_ns()
        empty = time.perf_counter_ns() - start
        times = []
        self._progress(request.seq, 0)
        try:
            self.model.load(self.inputs)
            for number in range(warmup + runs):
                if flags & _RUN_RESET:
                    self.model.reset()
                start = time.perf_counter_ns()
                self.model.run()
                took = time.perf_counter_ns() - start
                if number >= warmup:
                    times.append(max(took, 1))
                self._progress(request.seq, number + 1)
            self.outputs = self.model.outputs()
        except Exception as error:
            traceback.print_exc()
            raise RefusedError(_MODEL) from error
        tensors: list[bytes | bytearray] = [*self.inputs, *self.outputs]
        crcs = [zlib.crc32(data) for data in tensors]
        return struct.pack(f"<QH{runs}Q{len(crcs)}I", empty, runs, *times, *crcs)

    def _progress(self, seq: int, done: int) -> None:
        self.send(encode(Frame(Kind.PROGRESS, seq, struct.pack("<I", done))))

    def _told(self, first: int) -> list[Layer]:
        if not self.model.profile:
            raise RefusedError(_PROFILE)
        if first == 0:
            self._layers = self.model.layers()
        return self._layers

    def _layers_from(self, request: Frame) -> bytes:
        (first,) = struct.unpack("<H", request.payload)
        told = self._told(first)
        rows = [
            struct.pack("<HHIQI", number, 0, layer.bytes, layer.ns, 0)
            for number, layer in enumerate(told)
        ]
        return struct.pack("<HQ", len(told), 0) + b"".join(rows[first : first + _LAYERS_PER_FRAME])

    def _layer_names(self, request: Frame) -> bytes:
        (first,) = struct.unpack("<H", request.payload)
        if not self.model.profile:
            raise RefusedError(_PROFILE)
        reply = struct.pack("<H", len(self._layers))
        for layer in self._layers[first:]:
            text = layer.name.encode("utf-8", "replace").replace(b"\0", b"?")[:255] + b"\0"
            if len(reply) + len(text) > MAX_PAYLOAD:
                break
            reply += text
        return reply

    def _stats(self, request: Frame) -> bytes:
        del request
        return struct.pack("<6I", self._decoder.dropped, 0, 0, 0, 0, _peak_kib())

    def _reset(self, request: Frame) -> bytes:
        del request
        self.model.reset()
        return b""


_ANSWERS: dict[int, Callable[[Server, Frame], bytes]] = {
    Kind.HELLO: Server._hello,
    Kind.WRITE: Server._write,
    Kind.READ: Server._read,
    Kind.RUN: Server._run,
    Kind.LAYERS: Server._layers_from,
    Kind.LAYER_NAMES: Server._layer_names,
    Kind.STATS: Server._stats,
    Kind.RESET: Server._reset,
}


def take_output() -> Send:
    """Return what writes to the standard output, to which nothing else does from now on."""
    output = os.dup(1)
    os.dup2(2, 1)

    def send(data: bytes) -> None:
        while data:
            data = data[os.write(output, data) :]

    return send


def serve(model: Model, file: Path, texts: tuple[str, ...], send: Send) -> None:
    """Answer until the input ends.

    `file` is what the model was read from; `texts` what HELLO says: model, target and build.
    """
    server = Server(model, file, texts, send)
    gc.collect()
    gc.disable()
    while True:
        data = os.read(0, 65536)
        if not data:
            return
        server.feed(data)


def _sha256(file: Path) -> bytes:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        for chunk in iter(lambda: stream.read(1 << 20), b""):
            digest.update(chunk)
    return digest.digest()


def _peak_kib() -> int:
    """Return the most memory this process has had, as the kernel says.

    It enters pages into VmHWM in batches; what is there now it counts one by one.
    """
    return max(_told_kib("status", "VmHWM:"), _told_kib("smaps_rollup", "Rss:"))


def _told_kib(file: str, label: str) -> int:
    try:
        text = Path("/proc/self", file).read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    return next((int(s.split()[1]) for s in text.split("\n") if s.startswith(label)), 0)
