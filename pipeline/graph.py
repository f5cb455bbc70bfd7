"""The typed, frozen graph that everything after the readers works on, and what makes one legal.

A graph is data: passes build new graphs, they never change one. What an op computes and which C it
becomes lives with the op, in `edgec.codegen.ops`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from edgec.pipeline.errors import UnsupportedModelError

Array = npt.NDArray[Any]


class DType(Enum):
    """An element type; the value is numpy's name of it."""

    INT8 = "int8"
    UINT8 = "uint8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    FLOAT32 = "float32"
    BOOL = "bool"

    @property
    def numpy(self) -> np.dtype[Any]:
        """The numpy dtype."""
        return np.dtype(self.value)

    @property
    def size_bytes(self) -> int:
        """Bytes an element takes."""
        return int(self.numpy.itemsize)

    @property
    def c_type(self) -> str:
        """The C99 type of an element."""
        return {"float32": "float", "bool": "uint8_t"}.get(self.value, f"{self.value}_t")

    @property
    def range(self) -> tuple[int, int]:
        """Smallest and largest value of an integer type."""
        info = np.iinfo(self.numpy)
        return int(info.min), int(info.max)


class Rounding(Enum):
    """Whose integer rounding an op reproduces.

    `tflite` is the pinned LiteRT interpreter with its reference kernels, `tflm` is TFLite Micro
    and CMSIS-NN.
    """

    TFLITE = "tflite"
    TFLM = "tflm"


class Activation(Enum):
    """A clamp fused into an op, named and numbered as in the TFLite schema."""

    NONE = 0
    RELU = 1
    RELU_N1_TO_1 = 2
    RELU6 = 3

    @classmethod
    def _missing_(cls, value: object) -> Activation:
        raise UnsupportedModelError(f"fused activation {value} is not supported")

    @property
    def bounds(self) -> tuple[float, float]:
        """Real-valued lower and upper clamp, infinite where there is none."""
        inf = math.inf
        return {0: (-inf, inf), 1: (0.0, inf), 2: (-1.0, 1.0), 3: (0.0, 6.0)}[self.value]


@dataclass(frozen=True, slots=True)
class Quant:
    """Affine quantisation, real = scale * (q - zero_point).

    One scale for the whole tensor, or one per index along `axis`. Scales are the float32 values
    of the file, widened exactly.
    """

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int = 0

    @property
    def per_channel(self) -> bool:
        """Whether there is more than one scale."""
        return len(self.scales) > 1

    @property
    def scale(self) -> float:
        """The one scale of a per-tensor quantisation."""
        if len(self.scales) != 1:
            raise UnsupportedModelError("per-channel quantisation where one scale is wanted")
        return self.scales[0]

    @property
    def zero_point(self) -> int:
        """The one zero point of a per-tensor quantisation."""
        if len(set(self.zero_points)) != 1:
            raise UnsupportedModelError("per-channel zero points where one is wanted")
        return self.zero_points[0]


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A value of the graph; `data` is not None exactly when it is constant.

    `variable` marks state that survives from one inference to the next (recurrent ops).
    """

    name: str
    shape: tuple[int, ...]
    dtype: DType
    quant: Quant | None = None
    data: Array | None = None
    variable: bool = False

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def size_bytes(self) -> int:
        """Bytes the tensor takes."""
        return self.size * self.dtype.size_bytes

    @property
    def q(self) -> Quant:
        """The quantisation of a tensor that must have one."""
        if self.quant is None:
            raise UnsupportedModelError(f"tensor {self.name!r} is not quantised")
        return self.quant

    @property
    def values(self) -> Array:
        """The data of a tensor that must be constant."""
        if self.data is None:
            raise UnsupportedModelError(f"tensor {self.name!r} is not constant")
        return self.data


@dataclass(frozen=True, slots=True, kw_only=True)
class Op:
    """One operation: names of the tensors it reads and writes; subclasses add typed attributes.

    An optional input that is absent is the empty string.
    """

    builtin: ClassVar[str] = ""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    rounding: Rounding = Rounding.TFLITE

    @property
    def title(self) -> str:
        """What the op is called in reports and comments."""
        return self.builtin


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """A model: tensors by name, ops in execution order."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    tensors: Mapping[str, Tensor]
    ops: tuple[Op, ...]
    sha256: str = field(default="", kw_only=True)

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[name]

    def activations(self) -> Iterator[Tensor]:
        """Yield every tensor that is computed, in order of computation, without the inputs."""
        for op in self.ops:
            for name in op.outputs:
                if name:
                    yield self.tensors[name]

    def consumers(self) -> dict[str, list[Op]]:
        """Map each tensor name to the ops that read it."""
        readers: dict[str, list[Op]] = {}
        for op in self.ops:
            for name in op.inputs:
                if name:
                    readers.setdefault(name, []).append(op)
        return readers

    def with_ops(self, ops: Iterable[Op], tensors: Mapping[str, Tensor] | None = None) -> Graph:
        """Return the graph with other ops (and tensors), unused tensors dropped."""
        new_ops = tuple(ops)
        pool = self.tensors if tensors is None else tensors
        used = set(self.inputs) | set(self.outputs)
        for op in new_ops:
            used.update(name for name in (*op.inputs, *op.outputs) if name)
        kept = {name: tensor for name, tensor in pool.items() if name in used}
        return replace(self, ops=new_ops, tensors=kept)


class Interface(Protocol):
    """The tensors that go into and come out of a model; a Graph is one, with ops or without."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs, in order."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in order."""

    def __getitem__(self, name: str) -> Tensor: ...


def check(graph: Graph) -> Graph:
    """Return the graph if it is legal, else raise UnsupportedModelError naming what is not.

    Legal means: every name is known, every value has one producer and is made before it is used,
    constants have the shape and type they claim, quantisation is finite, positive and in range.
    """
    for tensor in graph.tensors.values():
        _check_tensor(tensor)
    for name in (*graph.inputs, *graph.outputs):
        if name not in graph.tensors:
            raise UnsupportedModelError(f"graph {graph.name!r}: unknown tensor {name!r}")
    made = set(graph.inputs)
    made |= {n for n, t in graph.tensors.items() if t.data is not None or t.variable}
    for index, op in enumerate(graph.ops):
        where = f"op {index} ({op.builtin})"
        for name in op.inputs:
            if name and name not in graph.tensors:
                raise UnsupportedModelError(f"{where}: unknown input tensor {name!r}")
            if name and name not in made:
                raise UnsupportedModelError(f"{where}: reads {name!r} before it is computed")
        for name in op.outputs:
            if name not in graph.tensors:
                raise UnsupportedModelError(f"{where}: unknown output tensor {name!r}")
            if name in made:
                raise UnsupportedModelError(f"{where}: writes {name!r} a second time")
            made.add(name)
    for name in graph.outputs:
        if name not in made:
            raise UnsupportedModelError(f"output {name!r} is never computed")
    return graph


def _check_tensor(tensor: Tensor) -> None:
    where = f"tensor {tensor.name!r}"
    if any(d <= 0 for d in tensor.shape):
        raise UnsupportedModelError(
            f"{where}: shape {list(tensor.shape)} is not fixed and positive",
            "export the model with a fixed input shape and batch 1",
        )
    if tensor.size_bytes >= 2**31:
        raise UnsupportedModelError(f"{where}: {tensor.size_bytes} bytes is over 2 GiB")
    data = tensor.data
    if data is not None and (data.shape != tensor.shape or data.dtype != tensor.dtype.numpy):
        raise UnsupportedModelError(
            f"{where}: data is {data.dtype}{list(data.shape)}, "
            f"declared {tensor.dtype.value}{list(tensor.shape)}"
        )
    quant = tensor.quant
    if quant is None:
        return
    if len(quant.scales) != len(quant.zero_points):
        raise UnsupportedModelError(f"{where}: as many scales as zero points wanted")
    if not all(math.isfinite(s) and s > 0 for s in quant.scales):
        raise UnsupportedModelError(f"{where}: scale is not finite and positive")
    if quant.per_channel:
        if not 0 <= quant.axis < len(tensor.shape):
            raise UnsupportedModelError(f"{where}: quantised along axis {quant.axis}, out of range")
        if tensor.shape[quant.axis] != len(quant.scales):
            raise UnsupportedModelError(
                f"{where}: {len(quant.scales)} scales for {tensor.shape[quant.axis]} channels"
            )
    if tensor.dtype is DType.FLOAT32 or tensor.dtype is DType.BOOL:
        raise UnsupportedModelError(f"{where}: {tensor.dtype.value} with quantisation")
    low, high = tensor.dtype.range
    if not all(low <= z <= high for z in quant.zero_points):
        raise UnsupportedModelError(f"{where}: zero point outside {low}..{high}")
