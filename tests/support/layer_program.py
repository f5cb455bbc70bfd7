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

import numpy as np

from edgec.codegen.packing import safe_distance
from edgec.codegen.registry import Const, Step
from edgec.pipeline.graph import Tensor
from tests.support.hostc import compile_kernels, link

_ALIGN = 8
"""What the planner aligns values to."""

_MAIN = """
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void (*call)(const void *params, const void *const *in, void *const *out, void *scratch);
%(wrappers)s
static const call calls[] = {%(names)s};

static void layout(void)
{
%(layout)s
}

static void *take(size_t size, int fill)
{
    void *p = malloc(size);
    if (p == NULL) {
        exit(3);
    }
    memset(p, fill, size);
    return p;
}

static void get(void *p, size_t size)
{
    if (fread(p, 1, size, stdin) != size) {
        exit(4);
    }
}

static uint32_t word(void)
{
    uint32_t value;
    get(&value, sizeof value);
    return value;
}

typedef struct {
    call run;
    void *params;
    uint32_t inputs, outputs;
    uint32_t in_bytes[16], out_bytes[16];
    int32_t scratch_bytes;
    void *in[16];
} layer;

static void run(const layer *l, const void *const *in, void *const *out, int fill)
{
    void *scratch = l->scratch_bytes > 0 ? take((size_t)l->scratch_bytes, fill) : NULL;
    l->run(l->params, in, out, scratch);
    free(scratch);
}

/* Run with the output in the memory of an input, `distance` bytes below its start. */
static int same_over(const layer *l, uint32_t position, uint32_t distance, void *const *want)
{
    size_t size = distance + l->in_bytes[position];
    size = size > l->out_bytes[0] ? size : l->out_bytes[0];
    uint8_t *block = take(size, 0x33);
    const void *in[16];
    for (uint32_t i = 0; i < l->inputs; i++) {
        in[i] = l->in[i];
    }
    memcpy(block + distance, l->in[position], l->in_bytes[position]);
    in[position] = block + distance;
    void *const out[] = {block};
    run(l, in, out, 0x77);
    int same = memcmp(block, want[0], l->out_bytes[0]) == 0;
    free(block);
    return same;
}

static void sample(const layer *l, uint32_t overlaps, const uint32_t (*over)[2])
{
    const void *in[16];
    void *copy[16], *out[16];
    for (uint32_t i = 0; i < l->inputs; i++) {
        get(l->in[i], l->in_bytes[i]);
        copy[i] = take(l->in_bytes[i], 0);
        memcpy(copy[i], l->in[i], l->in_bytes[i]);
        in[i] = copy[i];
    }
    for (uint32_t i = 0; i < l->outputs; i++) {
        out[i] = take(l->out_bytes[i], 0xa5);
    }
    run(l, in, out, 0x5a);
    char verdict = 0;
    for (uint32_t i = 0; i < l->inputs; i++) {
        verdict |= memcmp(copy[i], l->in[i], l->in_bytes[i]) ? 1 : 0;
        free(copy[i]);
    }
    for (uint32_t i = 0; i < overlaps; i++) {
        verdict |= same_over(l, over[i][0], over[i][1], out) ? 0 : 2;
    }
    for (uint32_t i = 0; i < l->outputs; i++) {
        fwrite(out[i], 1, l->out_bytes[i], stdout);
        free(out[i]);
    }
    fwrite(&verdict, 1, 1, stdout);
}

static int record(void)
{
    uint32_t head;
    if (fread(&head, 1, sizeof head, stdin) != sizeof head) {
        return 0;
    }
    layer l = {0};
    void *consts[32];
    uint32_t over[16][2];
    l.run = calls[head];
    uint32_t size = word(), count = word(), overlaps, samples;
    l.params = take(size, 0);
    get(l.params, size);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = word(), bytes = word();
        consts[i] = take(bytes, 0);
        get(consts[i], bytes);
        memcpy((char *)l.params + at, &consts[i], sizeof(void *));
    }
    l.inputs = word();
    for (uint32_t i = 0; i < l.inputs; i++) {
        l.in_bytes[i] = word();
        l.in[i] = take(l.in_bytes[i], 0);
    }
    l.outputs = word();
    for (uint32_t i = 0; i < l.outputs; i++) {
        l.out_bytes[i] = word();
    }
    l.scratch_bytes = (int32_t)word();
    overlaps = word();
    for (uint32_t i = 0; i < overlaps; i++) {
        over[i][0] = word();
        over[i][1] = word();
    }
    samples = word();
    for (uint32_t i = 0; i < samples; i++) {
        sample(&l, overlaps, (const uint32_t (*)[2])over);
    }
    for (uint32_t i = 0; i < count; i++) {
        free(consts[i]);
    }
    for (uint32_t i = 0; i < l.inputs; i++) {
        free(l.in[i]);
    }
    free(l.params);
    fflush(stdout); /* what has been answered tells where a sanitizer stopped */
    return 1;
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        layout();
        return 0;
    }
    while (record()) {
    }
    return 0;
}
"""


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

    def __init__(self, layers: Sequence[Layer], folder: Path, cc: str = "gcc") -> None:
        self.layers = layers
        shapes = sorted({layer.shape for layer in layers})
        self.number = {shape: i for i, shape in enumerate(shapes)}
        kernels = {layer.step.kernel for layer in layers}
        fields: dict[str, dict[str, bool]] = {}
        for layer in layers:
            found = fields.setdefault(layer.step.kernel, {})
            for name, value in layer.step.params.items():
                found[name] = found.get(name, False) or _is_list(value)
        lines = []
        for kernel, members in sorted(fields.items()):
            if not members:
                continue
            t = f"{kernel}_params"
            lines.append(f'    printf("{kernel} - %zu 0 0\\n", sizeof({t}));')
            for name, many in sorted(members.items()):
                one = f"(({t} *)0)->{name}"
                each = f"sizeof({one}[0])" if many else f"sizeof({one})"
                lines.append(
                    f'    printf("{kernel} {name} %zu %zu %zu\\n", offsetof({t}, {name}), '
                    f"sizeof({one}), {each});"
                )
        names = [f"call_{i}" for i in range(len(shapes))]
        text = "".join(f'#include "{kernel}.h"\n' for kernel in sorted(kernels)) + _MAIN % {
            "wrappers": "\n".join(map(_wrapper, names, shapes)),
            "names": ", ".join(names),
            "layout": "\n".join(lines),
        }
        objects = compile_kernels(kernels, folder, cc)
        (folder / "layers.c").write_text(text)
        self.program = link(["layers.c", *objects], folder, cc)
        told = subprocess.run([self.program, "layout"], capture_output=True, text=True, check=True)
        self.fields: dict[tuple[str, str], tuple[int, int, int]] = {}
        for line in told.stdout.splitlines():
            kernel, name, *numbers = line.split()
            self.fields[kernel, name] = (int(numbers[0]), int(numbers[1]), int(numbers[2]))

    def _params(self, step: Step) -> tuple[bytes, list[tuple[int, bytes]]]:
        """Return the bytes of the parameters, and the arrays that pointers at offsets lead to."""
        if not step.params:
            return b"", []
        blob = bytearray(self.fields[step.kernel, "-"][0])
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
        ran = subprocess.run(
            [self.program], input=data, capture_output=True, timeout=600, check=False
        )
        at = 0
        for layer in self.layers:
            for number, want in enumerate(layer.want):
                where = f"{layer.where} by {layer.step.kernel}, sample {number}"
                for tensor, wanted in zip(layer.outputs, want, strict=True):
                    raw = ran.stdout[at : at + tensor.size_bytes]
                    at += tensor.size_bytes
                    assert len(raw) == tensor.size_bytes, f"{where}: {_complaint(ran.stderr)}"
                    got = np.frombuffer(raw, wanted.dtype).reshape(wanted.shape)
                    differ = got != wanted
                    assert not differ.any(), f"{where}: {got[differ][:4]}, {wanted[differ][:4]}"
                verdict = ran.stdout[at : at + 1]
                at += 1
                assert verdict != b"\1", f"{where}: an input was changed"
                assert verdict == b"\0", f"{where}: other bytes where the output is over an input"
        assert ran.returncode == 0 and at == len(ran.stdout), _complaint(ran.stderr)


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


def _complaint(stderr: bytes) -> str:
    return stderr.decode(errors="replace")[:3000] or "the program stopped"
