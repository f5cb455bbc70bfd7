"""An ONNX model in ONNX Runtime, on the CPU."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

_TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int8)": np.int8,
    "tensor(uint8)": np.uint8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}


@dataclass(frozen=True)
class OrtLayer:
    """A node as it ran, fused ones under the name that ONNX Runtime gives them."""

    name: str
    bytes: int
    ns: int


class OrtModel:
    """A session of one model; with `profile` it writes down how long each node takes."""

    has_state = False

    def __init__(self, path: str, threads: int, profile: bool) -> None:
        self.profile = profile
        self._path = path
        self._threads = threads
        self._folder = tempfile.TemporaryDirectory(prefix="edgec-", dir=".") if profile else None
        self._session = self._open()
        self._ins = self._session.get_inputs()
        self._names = [port.name for port in self._session.get_outputs()]
        self.input_bytes = [_size_bytes(port) for port in self._ins]
        self.output_bytes = [_size_bytes(port) for port in self._session.get_outputs()]
        self._feed: dict[str, Any] = {}
        self._answers: list[Any] = []

    def _open(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        if self._folder is not None:
            options.enable_profiling = True
            options.profile_file_prefix = str(Path(self._folder.name) / "profile")
        return onnxruntime.InferenceSession(self._path, options, providers=["CPUExecutionProvider"])

    def load(self, inputs: list[bytearray]) -> None:
        """Take the inputs, which are not copied again."""
        self._feed = {
            port.name: np.frombuffer(bytes(data), _TYPES[port.type]).reshape(_shape(port))
            for port, data in zip(self._ins, inputs)  # noqa: B905
        }

    def run(self) -> None:
        """Run one inference."""
        self._answers = self._session.run(self._names, self._feed)

    def outputs(self) -> list[bytes]:
        """Return copies of the outputs."""
        return [np.ascontiguousarray(answer).tobytes() for answer in self._answers]

    def reset(self) -> None:
        """Do nothing: ONNX has no state."""

    def layers(self) -> list[Any]:
        """Return the nodes of the last inference; profiling starts anew."""
        path = Path(self._session.end_profiling())
        events = json.loads(path.read_text(encoding="utf-8"))
        path.unlink()
        self._session = self._open()
        runs = [event for event in events if event.get("name") == "model_run"]
        if not runs:
            return []
        last = max(runs, key=lambda event: event["ts"])
        nodes = [
            event
            for event in events
            if event.get("cat") == "Node"
            and event["name"].endswith("_kernel_time")
            and last["ts"] <= event["ts"] <= last["ts"] + last["dur"]
        ]
        return [_layer(event) for event in sorted(nodes, key=lambda event: event["ts"])]


def _layer(event: dict[str, Any]) -> OrtLayer:
    facts = event.get("args", {})
    name = event["name"][: -len("_kernel_time")]
    size = int(facts.get("output_size", 0) or 0)
    return OrtLayer(f"{facts.get('op_name', '?')} {name}", size, int(event["dur"]) * 1000)


def _shape(port: Any) -> list[int]:
    """Return the shape of one sample: a batch without a size is 1."""
    first = [1 if not isinstance(size, int) else size for size in port.shape[:1]]
    shape = [*first, *port.shape[1:]]
    if not all(isinstance(size, int) and size > 0 for size in shape):
        raise ValueError(f"{port.name} has no fixed shape: {port.shape}")
    return shape


def _size_bytes(port: Any) -> int:
    return int(np.prod(_shape(port), dtype=np.int64) * np.dtype(_TYPES[port.type]).itemsize)
