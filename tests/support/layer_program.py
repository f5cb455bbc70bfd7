"""Runs single layers by their kernels, thousands in one compiled program, under sanitizers.

Layers are data to the program: the bytes of a kernel's parameters, weights, inputs. Every array is
an allocation of exactly its size, so that a step beyond any of them is seen; outputs and scratch
start as garbage. Where a step says that its output may lie over an input, it is run that way too.
"""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from edgec.codegen.packing import safe_distance
from edgec.codegen.registry import Const, Step
from edgec.pipeline.graph import Tensor
from tests.support.hostc import compile_kernels, link

_ALIGN = 8
"""What the planner aligns values to."""

HERE = Path(__file__).resolve().parent


class Machine(Protocol):
    """Where the program runs."""

    def build(self, kernels: set[str], folder: Path) -> None:
        """Compile `layers.c` in a folder with the kernels and the program's own files."""

    def run(self, data: bytes, folder: Path) -> tuple[bytes, str]:
        """Return what the program writes for some input, and its complaint if it failed."""


class Host:
    """This computer, kernels under sanitizers."""

    def __init__(self, cc: str = "gcc") -> None:
        self.cc = cc

    def build(self, kernels: set[str], folder: Path) -> None:
        own = [str(HERE / f"layer_program{name}.c") for name in ("", "_host")]
        objects = compile_kernels(kernels, folder, self.cc)
        link([f"-I{HERE}", "layers.c", *own, *objects], folder, self.cc)

    def run(self, data: bytes, folder: Path) -> tuple[bytes, str]:
        ran = subprocess.run([folder / "model"], input=data, capture_output=True, check=False)
        complaint = ran.stderr.decode(errors="replace")[:3000] or f"exit code {ran.returncode}"
        return ran.stdout, complaint if ran.returncode else ""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One layer under one of its kernels, with samples: values of each input, wanted outputs."""

    where: str
    step: Step
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    samples: Sequence[Sequence[np.ndarray]]
    want: Sequence[Sequence[np.ndarray]]

    @property
    def shape(self) -> tuple[object, ...]:
        """What decides on the call in C."""
        step = self.step
        scratch = step.scratch_bytes is not None
        ends = (len(step.inputs), len(self.outputs))
        return (step.kernel, *ends, step.arrays, bool(step.params), scratch)


def _wrapper(name: str, shape: tuple[object, ...]) -> str:
    kernel, inputs, outputs, arrays, params, scratch = shape
    assert isinstance(inputs, int) and isinstance(outputs, int)
    ends = [f"in[{i}]" for i in range(inputs)] + [f"out[{i}]" for i in range(outputs)]
    args = [
        *(["params"] if params else []),
        *(["in", "out"] if arrays else ends),
        *(["scratch"] if scratch else []),
    ]
    head = f"static void {name}(const void *params, const void *const *in, void *const *out,"
    return (
        f"{head} void *scratch)\n{{\n    (void)params;\n    (void)scratch;\n"
        f"    {kernel}({', '.join(args)});\n}}\n"
    )


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


class LayerProgram:
    """The program for a set of layers, compiled once."""

    def __init__(
        self, layers: Sequence[Layer], folder: Path, machine: Machine | None = None
    ) -> None:
        machine = machine or Host()
        self.layers = layers
        shapes = sorted({layer.shape for layer in layers})
        self.number = {shape: i for i, shape in enumerate(shapes)}
        kernels = {layer.step.kernel for layer in layers}
        fields: dict[str, dict[str, bool]] = {}
        for layer in layers:
            found = fields.setdefault(layer.step.kernel, {})
            for name, value in layer.step.params.items():
                found[name] = found.get(name, False) or _is_list(value)
        rows: dict[tuple[str, str], str] = {}
        for kernel, members in sorted(fields.items()):
            t = f"{kernel}_params"
            for name, many in sorted(members.items()):
                one = f"(({t} *)0)->{name}"
                each = f"sizeof({one}[0])" if many else f"sizeof({one})"
                rows[kernel, name] = f"offsetof({t}, {name}), sizeof({one}), {each}"
            if members:
                rows[kernel, ""] = f"sizeof({t}), 0, 0"
        names = [f"call_{i}" for i in range(len(shapes))]
        headers = "".join(f'#include "{kernel}.h"\n' for kernel in sorted(kernels))
        wrappers = "\n".join(map(_wrapper, names, shapes))
        table = ",\n    ".join(rows.values())
        (folder / "layers.c").write_text(
            f'#include "layer_program.h"\n\n{headers}\n{wrappers}\n'
            f"const layer_call layer_calls[] = {{{', '.join(names)}}};\n"
            f"const uint32_t layer_layout[] = {{\n    {table}}};\n"
            f"const uint32_t layer_layout_words = {3 * len(rows)};\n"
        )
        self.folder, self.machine = folder, machine
        machine.build(kernels, folder)
        told, complaint = machine.run(b"", folder)
        assert len(told) == 12 * len(rows), complaint
        self.layout_bytes = len(told)
        numbers = struct.iter_unpack("<3I", told)
        self.fields = dict(zip(rows, numbers, strict=True))

    def _params(self, step: Step) -> tuple[bytes, list[tuple[int, bytes]]]:
        """Return the bytes of the parameters, and the arrays that pointers at offsets lead to."""
        if not step.params:
            return b"", []
        blob = bytearray(self.fields[step.kernel, ""][0])
        arrays: list[tuple[int, bytes]] = []
        for name, value in step.params.items():
            at, size, each = self.fields[step.kernel, name]
            if value is None:
                continue
            if isinstance(value, Const):
                arrays.append((at, np.ascontiguousarray(value.data).tobytes()))
                continue
            values = value if _is_list(value) else [value]
            assert each * len(values) <= size, f"{step.kernel}: {name} has {len(values)} values"
            for i, v in enumerate(values):
                if isinstance(v, float):
                    struct.pack_into({4: "<f", 8: "<d"}[each], blob, at + i * each, v)
                else:
                    whole = int(v) & ((1 << 8 * each) - 1)
                    blob[at + i * each : at + (i + 1) * each] = whole.to_bytes(each, "little")
        return bytes(blob), arrays

    def _record(self, layer: Layer) -> Iterable[bytes]:
        step = layer.step
        blob, arrays = self._params(step)
        yield struct.pack("<III", self.number[layer.shape], len(blob), len(arrays))
        yield blob
        for at, data in arrays:
            yield struct.pack("<II", at, len(data))
            yield data
        ins = [layer.inputs[i] for i in step.inputs]
        over = _overlaps(layer)
        yield _words(len(ins), *(t.size_bytes for t in ins))
        yield _words(len(layer.outputs), *(t.size_bytes for t in layer.outputs))
        yield struct.pack("<i", step.scratch_bytes or 0)
        yield _words(len(over), *(n for pair in over for n in pair), len(layer.samples))
        for sample in layer.samples:
            for i in step.inputs:
                yield np.ascontiguousarray(sample[i]).tobytes()

    def check(self) -> None:
        """Run all layers; raise AssertionError naming the first that answers otherwise."""
        data = b"".join(part for layer in self.layers for part in self._record(layer))
        stdout, complaint = self.machine.run(data, self.folder)
        at = self.layout_bytes
        for layer in self.layers:
            for number, want in enumerate(layer.want):
                where = f"{layer.where} by {layer.step.kernel}, sample {number}"
                for tensor, wanted in zip(layer.outputs, want, strict=True):
                    raw = stdout[at : at + tensor.size_bytes]
                    at += tensor.size_bytes
                    assert len(raw) == tensor.size_bytes, f"{where}: {complaint or 'stopped'}"
                    got = np.frombuffer(raw, wanted.dtype).reshape(wanted.shape)
                    differ = got != wanted
                    assert not differ.any(), f"{where}: {got[differ][:4]}, {wanted[differ][:4]}"
                verdict = stdout[at : at + 1]
                at += 1
                assert verdict != b"\1", f"{where}: an input was changed"
                assert verdict == b"\0", f"{where}: other bytes where the output is over an input"
        assert not complaint and at == len(stdout), complaint


def _overlaps(layer: Layer) -> list[tuple[int, int]]:
    """Return (argument, distance) of every way in which the output may lie over an input."""
    step = layer.step
    if len(layer.outputs) != 1:
        return []
    size = layer.outputs[0].size_bytes
    found = []
    for argument, position in enumerate(step.inputs):
        tensor = layer.inputs[position]
        if position in step.in_place and tensor.size_bytes == size and tensor.data is None:
            found.append((argument, 0))
        if position == 0 and step.accesses:
            distance = -(-safe_distance(step.accesses) // _ALIGN) * _ALIGN
            if distance < size:
                found.append((argument, distance))
    return found


def _words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)
