"""What a `.tflite` answers and holds inside, as real numbers, for samples of real numbers.

The optimised kernels of LiteRT are used: it is about accuracy and ranges here, not about bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from edgec.pipeline.graph import Array


def outputs(content: bytes, inputs: Sequence[Array]) -> Array:
    """Return the first output for every sample, (count, *output).

    `inputs` has one float32 array an input, samples along axis 0; the file may be float or
    quantised.
    """
    interpreter = _open(content)
    port = interpreter.get_output_details()[0]
    runs = _runs(interpreter, inputs)
    return np.concatenate([_real(interpreter.get_tensor(port["index"]), port) for _ in runs])


def activations(content: bytes, inputs: Sequence[Array]) -> dict[str, Array]:
    """Return what every tensor holds for every sample, along axis 0, by tensor name."""
    interpreter = _open(content, keep=True)
    collected: dict[str, list[Array]] = {}
    for _ in _runs(interpreter, inputs):
        for detail in _named(interpreter):
            values = _real(interpreter.get_tensor(detail["index"]), detail)
            collected.setdefault(detail["name"], []).append(values)
    return {name: np.stack(values) for name, values in collected.items()}


def value_ranges(content: bytes, inputs: Sequence[Array]) -> dict[str, tuple[float, float]]:
    """Return the smallest and largest value of every tensor over all samples, by tensor name."""
    interpreter = _open(content, keep=True)
    found: dict[str, tuple[float, float]] = {}
    for _ in _runs(interpreter, inputs):
        for detail in _named(interpreter):
            values = _real(interpreter.get_tensor(detail["index"]), detail)
            if values.size:
                low, high = found.get(detail["name"], (np.inf, -np.inf))
                found[detail["name"]] = (
                    min(low, float(values.min())),
                    max(high, float(values.max())),
                )
    return found


def _open(content: bytes, keep: bool = False) -> Any:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=content,
        num_threads=1,
        experimental_preserve_all_tensors=keep,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    return interpreter


def _runs(interpreter: Any, inputs: Sequence[Array]) -> Iterator[int]:
    """Run sample after sample; what the interpreter holds is valid until the next one."""
    ports = interpreter.get_input_details()
    for number in range(len(inputs[0])):
        for port, array in zip(ports, inputs, strict=True):
            interpreter.set_tensor(port["index"], _as_port(array[number : number + 1], port))
        interpreter.invoke()
        yield number


def _named(interpreter: Any) -> Iterator[Any]:
    for detail in interpreter.get_tensor_details():
        if detail["name"]:
            yield detail


def _as_port(values: Array, port: Any) -> Array:
    """Return float32 values as an input takes them."""
    dtype = np.dtype(port["dtype"])
    values = values.reshape(port["shape"])
    if dtype == np.float32:
        return values
    scale, zero_point = port["quantization"]
    limits = np.iinfo(dtype)
    steps = np.clip(np.round(values / scale) + zero_point, limits.min, limits.max)
    return np.asarray(steps, dtype)


def _real(values: Array, detail: Any) -> Array:
    scale, zero_point = detail["quantization"]
    if np.dtype(detail["dtype"]) == np.float32 or scale == 0:
        return np.array(values)
    return np.asarray((values.astype(np.float32) - zero_point) * np.float32(scale))
