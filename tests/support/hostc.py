"""Compiles generated C for the host under sanitizers, and runs it."""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgec.codegen.emit import Origin, emit, has_state, kernel_files
from edgec.codegen.layout import Plan
from edgec.codegen.selection import Optimize
from edgec.pipeline.graph import Graph
from edgec.pipeline.plan import plan_memory
from edgec.pipeline.replay import verify_plan

WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror")
SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
FLAGS = ("-O1", "-g0", "-ffp-contract=off", *SANITIZE)
CACHE = Path(__file__).resolve().parents[2] / "build" / "test-objects"


def _compile(source: str, name: str, files: dict[str, str], folder: Path, cc: str) -> Path:
    """Compile one file; kernels, which do not change between models, come from a cache."""
    is_kernel = name.startswith("edgec_")
    headers = "".join(files[header] for header in _headers(source, files))
    key = hashlib.sha256("\0".join((cc, *FLAGS, name, source, headers)).encode()).hexdigest()[:24]
    obj = (CACHE / f"{key}.o") if is_kernel else folder / f"{name[:-2]}.o"
    if is_kernel and obj.exists():
        return obj
    obj.parent.mkdir(parents=True, exist_ok=True)
    part = obj.with_suffix(f".{id(files)}.part")
    done = subprocess.run(
        [*cc.split(), *WARNINGS, *FLAGS, "-c", name, "-o", str(part)],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{cc} {name}:\n{done.stderr}"
    part.replace(obj)
    return obj


def _headers(source: str, files: dict[str, str]) -> list[str]:
    """Return the generated headers that a source includes, directly or not."""
    found: dict[str, None] = {}
    pending = [source]
    while pending:
        for name in re.findall(r'^#include "(\w+\.h)"', pending.pop(), re.MULTILINE):
            if name in files and name not in found:
                found[name] = None
                pending.append(files[name])
    return sorted(found)


def compile_kernels(kernels: set[str], folder: Path, cc: str = "gcc") -> list[str]:
    """Write kernels and their headers into a folder; return the objects of their C."""
    files = kernel_files(kernels)
    for name, text in files.items():
        (folder / name).write_text(text)
    return [
        str(_compile(text, name, files, folder, cc))
        for name, text in files.items()
        if name.endswith(".c")
    ]


def link(inputs: Sequence[str], folder: Path, cc: str = "gcc") -> str:
    """Compile and link C and objects into a program; return its path."""
    command = [*cc.split(), *FLAGS, "-std=c11", *inputs, "-lm", "-o", "model"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return str(folder / "model")


def _main(graph: Graph, plan: Plan) -> str:
    name = graph.name
    ins = [graph[n].size_bytes for n in graph.inputs]
    outs = [graph[n].size_bytes for n in graph.outputs]
    lines = ["#include <stdio.h>", "#include <string.h>", f'#include "{name}.h"']
    lines += [f"static _Alignas(16) unsigned char i{k}[{n}];" for k, n in enumerate(ins)]
    lines += [f"static _Alignas(16) unsigned char o{k}[{n}];" for k, n in enumerate(outs)]
    args = [f"(void *)i{k}" for k, n in enumerate(graph.inputs) if n != plan.fetched]
    args += [f"(void *)o{k}" for k in range(len(outs))]
    run = f"{name}_run"
    if plan.fetched:
        run, args = f"{name}_run_rows", ["give", "i0", *args]
        lines += _giver(graph, plan)
    # the arena ends where the memory ends, so that the sanitizer sees a step beyond it
    lines += [
        f"static _Alignas(16) unsigned char arena[{max(plan.arena_bytes, 1)}];",
        "int main(void) {",
        f"#ifdef {name.upper()}_HAS_STATE",
        f"{name}_reset(arena);",
        "#endif",
        "for (;;) {",
    ]
    lines += [f"if (fread(i{k}, 1, {n}, stdin) != {n}) return 0;" for k, n in enumerate(ins)]
    lines.append(f"if ({run}({', '.join(args)}, arena)) return 9;")
    if not has_state(graph, plan) and not plan.fetched:
        lines += _again_in_the_arena(name, plan, ins, outs)
    lines += [f"fwrite(o{k}, 1, {n}, stdout);" for k, n in enumerate(outs)]
    return "\n".join([*lines, "}}", ""])


def _giver(graph: Graph, plan: Plan) -> list[str]:
    """Give rows of the first input, which is `user`, if they are asked for in order."""
    tensor = graph[plan.fetched]
    row = tensor.size_bytes // tensor.shape[1]
    return [
        f"static int give(void *user, int32_t first, int32_t count, {tensor.dtype.c_type} *to) {{",
        "static int32_t next;",
        "if (first != 0 && first != next) return 7;",
        f"if (count < 1 || first + count > {tensor.shape[1]}) return 7;",
        "next = first + count;",
        f"memcpy(to, (const char *)user + first * {row}, (size_t)(count * {row}));",
        "return 0; }",
    ]


def _again_in_the_arena(name: str, plan: Plan, ins: list[int], outs: list[int]) -> list[str]:
    """Run once more with inputs and outputs inside the arena, where outputs may replace inputs."""
    places = (*plan.inputs_at, *plan.outputs_at)
    args = ", ".join(f"(void *)(arena + {at})" for at in places)
    return [
        "memset(arena, 0x55, sizeof arena);",
        *(
            f"memcpy(arena + {at}, i{k}, {n});"
            for k, (at, n) in enumerate(zip(plan.inputs_at, ins, strict=True))
        ),
        f"if ({name}_run({args}, arena)) return 9;",
        *(
            f"if (memcmp(arena + {at}, o{k}, {n})) return 8;"
            for k, (at, n) in enumerate(zip(plan.outputs_at, outs, strict=True))
        ),
    ]


def run_host(
    graph: Graph,
    samples: Sequence[Sequence[np.ndarray]],
    folder: Path,
    cc: str = "gcc",
    features: frozenset[str] = frozenset(),
    optimize: Optimize = "balanced",
    planned: tuple[Graph, Plan] | None = None,
) -> list[list[np.ndarray]]:
    """Plan, emit, compile and run a graph; return the outputs of each sample in turn.

    `features` name a core whose kernels to take, by their portable twins; `planned` is the graph
    with its plan where there is one already.
    """
    ordered, plan = planned or plan_memory(graph, features, optimize)
    verify_plan(ordered, plan)
    files = emit(ordered, plan, Origin("test", "host"))
    for name, text in files.items():
        (folder / name).write_text(text)
    objects = [
        str(_compile(text, name, files, folder, cc))
        for name, text in files.items()
        if name.endswith(".c")
    ]
    (folder / "main.c").write_text(_main(ordered, plan))
    program = link(["main.c", *objects], folder, cc)
    data = b"".join(np.ascontiguousarray(v).tobytes() for sample in samples for v in sample)
    ran = subprocess.run([program], input=data, capture_output=True, timeout=120, check=False)
    assert ran.returncode != 8, "other bytes with inputs and outputs in the arena"
    assert ran.returncode == 0, ran.stderr.decode(errors="replace")[:4000]
    return _split(ordered, ran.stdout, len(samples))


def _split(graph: Graph, raw: bytes, count: int) -> list[list[np.ndarray]]:
    results, at = [], 0
    for _ in range(count):
        outs = []
        for name in graph.outputs:
            t = graph[name]
            view = np.frombuffer(raw[at : at + t.size_bytes], t.dtype.numpy)
            outs.append(view.reshape(t.shape))
            at += t.size_bytes
        results.append(outs)
    assert at == len(raw), f"{len(raw)} bytes of output, {at} wanted"
    return results
