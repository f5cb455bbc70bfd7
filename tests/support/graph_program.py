"""Runs many whole models, each through the entire compiler, in one compiled program."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgec.codegen.emit import Origin, emit, has_state
from edgec.codegen.layout import Plan
from edgec.pipeline.graph import Graph
from tests.support.hostc import WARNINGS, compile_kernels, link

_MAIN = """
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
%(headers)s
%(wrappers)s
typedef struct {
    int (*run)(void **in, void **out, void *arena);
    size_t arena_bytes;
    int inputs, outputs;
    size_t in_bytes[8], out_bytes[16], in_at[8], out_at[16];
} model;
static const model models[] = {
%(table)s
};

static void *take(size_t size, int fill)
{
    void *p = malloc(size ? size : 1);
    if (p == NULL) {
        exit(3);
    }
    memset(p, fill, size);
    return p;
}

/* Run with inputs and outputs outside the arena, then inside; both must answer the same. */
static char sample(const model *m)
{
    void *in[8], *copy[8], *out[16], *again[16];
    char *arena = take(m->arena_bytes, 0xa5);
    char verdict = 0;
    for (int i = 0; i < m->inputs; i++) {
        in[i] = take(m->in_bytes[i], 0);
        copy[i] = take(m->in_bytes[i], 0);
        if (fread(in[i], 1, m->in_bytes[i], stdin) != m->in_bytes[i]) {
            exit(4);
        }
        memcpy(copy[i], in[i], m->in_bytes[i]);
    }
    for (int i = 0; i < m->outputs; i++) {
        out[i] = take(m->out_bytes[i], 0x5a);
    }
    verdict |= m->run(in, out, arena) ? 1 : 0;
    memset(arena, 0x55, m->arena_bytes);
    for (int i = 0; i < m->inputs; i++) {
        verdict |= memcmp(in[i], copy[i], m->in_bytes[i]) ? 2 : 0;
        memcpy(arena + m->in_at[i], copy[i], m->in_bytes[i]);
        free(in[i]);
        free(copy[i]);
        in[i] = arena + m->in_at[i];
    }
    for (int i = 0; i < m->outputs; i++) {
        again[i] = arena + m->out_at[i];
    }
    verdict |= m->run(in, again, arena) ? 1 : 0;
    for (int i = 0; i < m->outputs; i++) {
        verdict |= memcmp(again[i], out[i], m->out_bytes[i]) ? 4 : 0;
        fwrite(out[i], 1, m->out_bytes[i], stdout);
        free(out[i]);
    }
    free(arena);
    return verdict;
}

int main(void)
{
    uint32_t head[2];
    while (fread(head, 1, sizeof head, stdin) == sizeof head) {
        for (uint32_t i = 0; i < head[1]; i++) {
            char verdict = sample(&models[head[0]]);
            fwrite(&verdict, 1, 1, stdout);
        }
        fflush(stdout);
    }
    return 0;
}
"""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A planned graph of a name of its own, with samples and the wanted outputs of each."""

    where: str
    graph: Graph
    plan: Plan
    samples: Sequence[Sequence[np.ndarray]]
    want: Sequence[Sequence[np.ndarray]]


def _wrapper(graph: Graph) -> str:
    ins = [f"in[{i}]" for i in range(len(graph.inputs))]
    outs = [f"out[{i}]" for i in range(len(graph.outputs))]
    return (
        f"static int call_{graph.name}(void **in, void **out, void *arena)\n"
        f"{{\n    return {graph.name}_run({', '.join([*ins, *outs, 'arena'])});\n}}\n"
    )


def _row(case: Case) -> str:
    graph, plan = case.graph, case.plan

    def numbers(values: Sequence[int]) -> str:
        return "{" + ", ".join(map(str, values)) + "}"

    sizes = [[graph[n].size_bytes for n in names] for names in (graph.inputs, graph.outputs)]
    return (
        f"    {{call_{graph.name}, {plan.arena_bytes}, {len(graph.inputs)}, {len(graph.outputs)}, "
        f"{', '.join(map(numbers, (*sizes, plan.inputs_at, plan.outputs_at)))}}},"
    )


def check_graphs(cases: Sequence[Case], folder: Path, cc: str = "gcc") -> None:
    """Emit, compile and run all cases; raise AssertionError naming the first that is wrong.

    Only kernels are under sanitizers: they do all the work, and the arena is a separate allocation.
    """
    kernels: set[str] = set()
    sources: list[str] = []
    for case in cases:
        assert not has_state(case.graph, case.plan)
        kernels |= {step.kernel for step in case.plan.steps if step.kernel}
        for name, text in emit(case.graph, case.plan, Origin("test", "host")).items():
            if not name.startswith("edgec_"):
                (folder / name).write_text(text)
                sources += [name] if name.endswith(".c") else []
    objects = compile_kernels(kernels, folder, cc)
    command = [cc, *WARNINGS, "-O0", "-g0", "-c", *sources]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:4000]
    text = _MAIN % {
        "headers": "".join(f'#include "{case.graph.name}.h"\n' for case in cases),
        "wrappers": "\n".join(_wrapper(case.graph) for case in cases),
        "table": "\n".join(map(_row, cases)),
    }
    (folder / "main.c").write_text(text)
    program = link(["main.c", *(f"{name[:-2]}.o" for name in sources), *objects], folder, cc)
    _compare(cases, program)


def _compare(cases: Sequence[Case], program: str) -> None:
    parts: list[bytes] = []
    for number, case in enumerate(cases):
        parts.append(struct.pack("<2I", number, len(case.samples)))
        parts += [np.ascontiguousarray(v).tobytes() for sample in case.samples for v in sample]
    ran = subprocess.run([program], input=b"".join(parts), capture_output=True, check=False)
    at = 0
    for case in cases:
        for number, want in enumerate(case.want):
            where = f"{case.where}, sample {number}"
            for k, wanted in enumerate(want):
                raw = ran.stdout[at : at + wanted.nbytes]
                at += wanted.nbytes
                complaint = ran.stderr.decode(errors="replace")[:3000]
                assert len(raw) == wanted.nbytes, f"{where}: {complaint or 'stopped'}"
                got = np.frombuffer(raw, wanted.dtype).reshape(wanted.shape)
                differ = got != wanted
                assert not differ.any(), (
                    f"{where}, output {k}: {got[differ][:4]}, {wanted[differ][:4]} wanted"
                )
            verdict = ran.stdout[at : at + 1]
            at += 1
            assert verdict == b"\0", f"{where}: bits {verdict!r} (1 refused, 2 input changed, " \
                "4 other bytes in the arena)"  # fmt: skip
    assert ran.returncode == 0 and at == len(ran.stdout)
