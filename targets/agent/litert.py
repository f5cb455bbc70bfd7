"""A `.tflite` in LiteRT with its default kernels, XNNPACK where the build has it."""

from __future__ import annotations

from typing import Any

import numpy as np


class LiteRtModel:
    """An interpreter of one model. It tells nothing of single layers."""

    profile = False
    # Whether there is state, the interpreter does not say; clearing none costs nothing.
    has_state = True

    def __init__(self, path: str, threads: int) -> None:
        interpreter_class = _interpreter_class()
        self._interpreter = interpreter_class(model_path=path, num_threads=threads)
        self._interpreter.allocate_tensors()
        self._ins = self._interpreter.get_input_details()
        self._outs = self._interpreter.get_output_details()
        self.input_bytes = [_size_bytes(detail) for detail in self._ins]
        self.output_bytes = [_size_bytes(detail) for detail in self._outs]

    def load(self, inputs: list[bytearray]) -> None:
        """Copy the inputs to the interpreter."""
        for detail, data in zip(self._ins, inputs):  # noqa: B905
            values = np.frombuffer(data, detail["dtype"]).reshape(detail["shape"])
            self._interpreter.set_tensor(detail["index"], values)

    def run(self) -> None:
        """Run one inference."""
        self._interpreter.invoke()

    def outputs(self) -> list[bytes]:
        """Return copies of the outputs."""
        return [self._interpreter.get_tensor(d["index"]).tobytes() for d in self._outs]

    def reset(self) -> None:
        """Clear variables."""
        self._interpreter.reset_all_variables()

    def layers(self) -> list[Any]:
        """Return nothing."""
        return []


def _interpreter_class() -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        try:
            from tflite_runtime.interpreter import Interpreter
        except ImportError as error:
            raise ImportError(f"ai_edge_litert or tflite_runtime ({error})") from error
    return Interpreter


def _size_bytes(detail: dict[str, Any]) -> int:
    return int(np.prod(detail["shape"], dtype=np.int64) * np.dtype(detail["dtype"]).itemsize)
