"""Read a `.tflite` file into a Graph, without TensorFlow and without trusting the file.

Schema: tensorflow/lite/schema/schema.fbs; the slot numbers below are its field order.
"""

from __future__ import annotations

import hashlib
import math
import re
from pathlib import Path

import numpy as np

from edgec.codegen.registry import Io, KernelOp, Node, kernel_ops, violation
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array, DType, Graph, Quant, Rounding, Tensor, check
from edgec.pipeline.load.builtin_names import BUILTIN_NAMES
from edgec.pipeline.load.flatbuffer import EMPTY, MalformedError, Table

MAX_FILE_BYTES = 1 << 30
_TYPES = {
    0: DType.FLOAT32,
    2: DType.INT32,
    3: DType.UINT8,
    4: DType.INT64,
    6: DType.BOOL,
    7: DType.INT16,
    9: DType.INT8,
}
_TYPE_NAMES = {1: "float16", 5: "string", 8: "complex64", 10: "float64", 17: "int4"}


def load(path: Path, rounding: Rounding = Rounding.TFLITE) -> Graph:
    """Return the graph of a `.tflite` file.

    Raises UnsupportedModelError for a malformed file, and for ops or options that are not
    supported; the message then lists every one of them.
    """
    if path.stat().st_size > MAX_FILE_BYTES:
        raise UnsupportedModelError(f"{path.name}: over {MAX_FILE_BYTES >> 20} MiB")
    return parse(path.read_bytes(), path.stem, rounding, where=path.name)


def parse(
    data: bytes, name: str, rounding: Rounding = Rounding.TFLITE, where: str = "model"
) -> Graph:
    """Return the graph of a TFLite flatbuffer held in memory; see `load`."""
    try:
        graph = _Reader(data, rounding).graph(c_name(name), hashlib.sha256(data).hexdigest())
        return check(graph)
    except MalformedError as error:
        raise UnsupportedModelError(
            f"{where}: not a well-formed TFLite file: {error.message}",
            "the file is truncated or corrupt; export it again",
        ) from error
    except UnsupportedModelError as error:
        raise UnsupportedModelError(f"{where}: {error.message}", error.hint) from error


def c_name(name: str) -> str:
    """Return a name usable as a C identifier: `[a-z0-9_]`, starting with a letter."""
    clean = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:40].strip("_")
    return clean if clean[:1].isalpha() else f"m_{clean}".rstrip("_")


class _Reader:
    """The tables of one file, and the tensors made of them."""

    def __init__(self, data: bytes, rounding: Rounding) -> None:
        self.data = data
        self.rounding = rounding
        self.model = Table.root(data, b"TFL3")
        self.buffers = tuple(self.model.tables(4))
        self.tensors: tuple[Tensor, ...] = ()

    def graph(self, name: str, sha256: str) -> Graph:
        version = self.model.uint32(0)
        if version != 3:
            raise UnsupportedModelError(f"schema version {version}, 3 wanted")
        subgraphs = tuple(self.model.tables(2))
        if len(subgraphs) != 1:
            raise UnsupportedModelError(
                f"{len(subgraphs)} subgraphs, 1 wanted",
                "control flow (IF, WHILE) is not supported; unroll or fuse recurrent layers",
            )
        subgraph = subgraphs[0]
        self.tensors = self._tensors(subgraph)
        inputs = tuple(self._value(i).name for i in subgraph.int32s(1))
        outputs = tuple(self._value(i).name for i in subgraph.int32s(2))
        if not inputs or not outputs:
            raise UnsupportedModelError("a model has at least one input and one output")
        ops = self._ops(subgraph)
        used = {n for op in ops for n in (*op.inputs, *op.outputs)} | set(inputs) | set(outputs)
        tensors = {t.name: t for t in self.tensors if t.name in used}
        return Graph(name, inputs, outputs, tensors, ops, sha256=sha256)

    def _tensors(self, subgraph: Table) -> tuple[Tensor, ...]:
        result: list[Tensor] = []
        taken: set[str] = set()
        for index, table in enumerate(subgraph.tables(0)):
            name = table.text(3) or f"tensor_{index}"
            if name in taken:
                name = f"{name}#{index}"
            taken.add(name)
            result.append(self._read_tensor(table, name))
        return tuple(result)

    def _read_tensor(self, table: Table, name: str) -> Tensor:
        code = table.int8(1)
        where = f"tensor {name!r}"
        if code not in _TYPES:
            raise UnsupportedModelError(
                f"{where}: type {_TYPE_NAMES.get(code, code)} is not supported",
                "quantise to full int8, or keep float32",
            )
        dtype = _TYPES[code]
        shape = table.int32s(0)
        signature = table.int32s(7)
        if any(d < 0 for d in shape):
            raise UnsupportedModelError(
                f"{where}: shape {list(shape)} is dynamic", "export with fixed shapes and batch 1"
            )
        if any(d < 0 for d in signature[1:]):
            raise UnsupportedModelError(
                f"{where}: shape {list(signature)} is dynamic",
                "export with fixed shapes and batch 1",
            )
        if table.table(6) is not None:
            raise UnsupportedModelError(f"{where}: sparse encoding is not supported")
        if math.prod(shape) * dtype.size_bytes >= 2**31:
            raise UnsupportedModelError(f"{where}: shape {list(shape)} is over 2 GiB")
        variable = table.boolean(5)
        data = None if variable else self._data(table.uint32(2), shape, dtype, where)
        return Tensor(name, shape, dtype, _quant(table.table(4), dtype, where), data, variable)

    def _data(self, index: int, shape: tuple[int, ...], dtype: DType, where: str) -> Array | None:
        if index >= len(self.buffers):
            raise MalformedError(f"{where}: buffer {index} of {len(self.buffers)}")
        buffer = self.buffers[index]
        raw = buffer.vector(0, "uint8").tobytes()
        offset, size = buffer.uint64(1), buffer.uint64(2)
        if not raw and offset > 1:
            if offset + size > len(self.data):
                raise MalformedError(f"{where}: data at byte {offset} is outside the file")
            raw = self.data[offset : offset + size]
        if not raw:
            return None
        if len(raw) != math.prod(shape) * dtype.size_bytes:
            raise MalformedError(
                f"{where}: {len(raw)} bytes of data for shape {list(shape)} of {dtype.value}"
            )
        array = np.frombuffer(raw, dtype.numpy).reshape(shape)
        array.setflags(write=False)
        return array

    def _tensor(self, index: int) -> Tensor:
        if not 0 <= index < len(self.tensors):
            raise MalformedError(f"tensor index {index} of {len(self.tensors)}")
        return self.tensors[index]

    def _value(self, index: int) -> Tensor:
        """Return a tensor that holds values; intermediates are empty, they only carry scales."""
        tensor = self._tensor(index)
        if 0 in tensor.shape:
            raise UnsupportedModelError(
                f"tensor {tensor.name!r}: shape {list(tensor.shape)} is dynamic",
                "export with fixed shapes and batch 1",
            )
        return tensor

    def _ops(self, subgraph: Table) -> tuple[KernelOp, ...]:
        codes = tuple(self.model.tables(1))
        ops: list[KernelOp] = []
        problems: list[str] = []
        for index, table in enumerate(subgraph.tables(3)):
            code_index = table.uint32(0)
            if code_index >= len(codes):
                raise MalformedError(f"op {index}: operator code {code_index} of {len(codes)}")
            node = self._node(index, codes[code_index], table)
            op, found = _read_op(node)
            problems += found
            if op is not None:
                ops.append(op)
        if problems:
            lines = "\n  ".join(problems)
            raise UnsupportedModelError(
                f"{len(problems)} unsupported op(s):\n  {lines}",
                "'edgec ops' lists what is supported and the limits of each op",
            )
        return tuple(ops)

    def _node(self, index: int, code: Table, table: Table) -> Node:
        builtin = max(code.uint8(0), code.int32(3))
        known = builtin < len(BUILTIN_NAMES)
        name = BUILTIN_NAMES[builtin] if known else f"builtin {builtin}"
        if name == "CUSTOM":
            name = f"custom op {code.text(1)!r}"
        return Node(
            index,
            name,
            code.int32(2, 1),
            table.table(4) or EMPTY,
            tuple(None if i == -1 else self._value(i) for i in table.int32s(1)),
            tuple(self._value(i) for i in table.int32s(2)),
            tuple(self._tensor(i) for i in table.int32s(8) if i != -1),
            self.rounding,
        )


def _read_op(node: Node) -> tuple[KernelOp | None, list[str]]:
    """Return the typed op, or what stands against it, one line each."""
    out = node.outputs[0].name if node.outputs else "?"
    where = f"op {node.index} {node.builtin} -> {out!r}"
    cls = kernel_ops().get(node.builtin)
    if cls is None:
        return None, [f"{where}: not supported"]
    if not node.inputs or not node.outputs:
        return None, [f"{where}: without inputs or outputs"]
    try:
        op = cls.parse(node)
        broken = violation(op, Io(node.inputs, node.outputs))
        return op, [f"{where}: {broken}"] if broken else []
    except MalformedError:
        raise
    except UnsupportedModelError as error:
        return None, [f"{where}: {error.message}"]


def _quant(table: Table | None, dtype: DType, where: str) -> Quant | None:
    if table is None or dtype in (DType.FLOAT32, DType.BOOL):
        return None
    if table.uint8(4) != 0:
        raise UnsupportedModelError(f"{where}: blockwise or custom quantisation is not supported")
    scales = table.vector(2, "float32")
    if not len(scales):
        return None
    zeros = table.vector(3, "int64")
    if len(zeros) == 0:
        zeros = np.zeros(len(scales), np.int64)
    elif len(zeros) == 1:
        zeros = np.repeat(zeros, len(scales))
    return Quant(tuple(float(s) for s in scales), tuple(int(z) for z in zeros), table.int32(6))
