"""Graph and plan become C: the model's header, its code, its weights, and the kernels it uses.

The contract of the output is in `docs/c-api.md`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

import numpy as np

from edgec.codegen import cwriter, striped_code
from edgec.codegen.layout import Plan, Region
from edgec.codegen.linked_weights import LINKED_BYTES, Symbol, assembly
from edgec.codegen.program import Program
from edgec.codegen.registry import Const, Io, Step, Value, as_kernel_op
from edgec.pipeline.graph import Array, DType, Graph, Op, Tensor

ABI_VERSION = 1
ARENA_ALIGN = 16
_STREAM = "(out_ch, {bias, multiplier, shift})"


@dataclass(frozen=True, slots=True)
class Origin:
    """What the first lines of every generated file say."""

    version: str
    target: str


def emit(graph: Graph, plan: Plan, origin: Origin) -> dict[str, str]:
    """Return the generated files by name: `<name>.h/.c`, `<name>_weights.c` and the kernels."""
    emitter = _Emitter(graph, plan, origin)
    return {**emitter.sources(), f"{graph.name}_weights.c": emitter.weights_file()}


def emit_linked(graph: Graph, plan: Plan, origin: Origin) -> tuple[dict[str, str], list[Symbol]]:
    """Return the generated files and, where there are many, the weights that are linked.

    `<name>_weights.s` then takes the place of `<name>_weights.c`, and the symbols are to be written
    as `weights_blob(graph)` beside it.
    """
    emitter = _Emitter(graph, plan, origin)
    files = emitter.sources()
    symbols = emitter.weights
    if sum(symbol.data.nbytes for symbol in symbols) < LINKED_BYTES:
        return {**files, f"{graph.name}_weights.c": emitter.weights_file()}, []
    files[f"{graph.name}_weights.s"] = assembly(emitter.banner, weights_blob(graph), symbols)
    return files, symbols


def weights_blob(graph: Graph) -> str:
    """Return the name of the file that holds the weights where they are linked."""
    return f"{graph.name}_weights.bin"


def has_state(graph: Graph, plan: Plan) -> bool:
    """Return whether the arena keeps recurrent state between inferences."""
    return bool(_state(graph, plan))


def _state(graph: Graph, plan: Plan) -> list[Tensor]:
    return [
        t for n, t in graph.tensors.items() if t.variable and plan.places[n].region is Region.ARENA
    ]


def kernel_files(names: set[str]) -> dict[str, str]:
    """Return the sources of kernels by file name, with all the headers they include."""
    root = resources.files("edgec.codegen") / "kernels"
    files: dict[str, str] = {}
    pending = [f"{name}.h" for name in sorted(names)]
    while pending:
        name = pending.pop()
        if name in files:
            continue
        files[name] = (root / name).read_text(encoding="utf-8")
        source = root / f"{name[:-2]}.c"
        if name.endswith(".h") and source.is_file():
            pending.append(f"{name[:-2]}.c")
        pending += re.findall(r'^#include "(edgec_\w+\.h)"', files[name], re.MULTILINE)
    return dict(sorted(files.items()))


def _c_type(symbol: Symbol) -> str:
    if symbol.comment == _STREAM:
        return "edgec_channel"
    kind = str(symbol.data.dtype)
    return {"float64": "double", "uint16": "uint16_t"}.get(kind) or DType(kind).c_type


def _array(symbol: Symbol) -> str:
    """Return the C definition of an array of weights."""
    write = cwriter.struct_array if symbol.comment == _STREAM else cwriter.array
    return write(_c_type(symbol), symbol.name, symbol.data, symbol.comment)


class _Emitter:
    """The symbols of one model: constants are entered as the code that needs them is printed."""

    def __init__(self, graph: Graph, plan: Plan, origin: Origin) -> None:
        self.graph = graph
        self.plan = plan
        self.name = graph.name
        self.macro = graph.name.upper()
        self.banner = cwriter.banner(
            [("edgec", origin.version), ("model sha256", graph.sha256), ("target", origin.target)]
        )
        self.by_rows = plan.fetched
        self.symbols: dict[tuple[str, str], str] = {}
        self.weights: list[Symbol] = []
        self.externs: list[str] = []

    def sources(self) -> dict[str, str]:
        """Return all files but the weights, which are known then."""
        code = self.code()
        parts = [part for step in self.plan.steps for part in step.parts if part.kernel]
        kernels = {part.kernel for part in parts if not part.header}
        return {
            f"{self.name}.h": self.header(),
            f"{self.name}.c": code,
            **kernel_files(kernels),
        }

    def header(self) -> str:
        m, graph = self.macro, self.graph
        macs = sum(as_kernel_op(op).macs(Io.of(graph, op)) for op in graph.ops)
        lines = [
            self.banner,
            f"#ifndef {m}_H\n#define {m}_H\n\n#include <stdint.h>\n",
            f"#define {m}_ABI_VERSION {ABI_VERSION}",
            f"#define {m}_ARENA_BYTES {self.plan.arena_bytes}u",
            f"#define {m}_ARENA_ALIGN {ARENA_ALIGN}u",
            f"#define {m}_LAYER_COUNT {len(graph.ops)}",
            f"#define {m}_MACS {macs}u",
            f"#define {m}_INPUT_COUNT {len(graph.inputs)}",
            f"#define {m}_OUTPUT_COUNT {len(graph.outputs)}",
            *(line for i, n in enumerate(graph.inputs) for line in self._port("INPUT", i, n)),
            *(line for i, n in enumerate(graph.outputs) for line in self._port("OUTPUT", i, n)),
            "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n",
            *self._rows_type(),
            f"/* Run one inference. The arena is {m}_ARENA_BYTES bytes, aligned to {m}_ARENA_ALIGN;"
            "\n * inputs and outputs may lie in it at their OFFSETs, which a run overwrites, or"
            "\n * outside. It needs no initial value, and may serve something else between calls"
            + ("" if self._state() else ".")
            + (f",\n * except that it keeps the model's state: call {self.name}_reset first."
               if self._state() else "")
            + "\n * Returns 0, or -1 if a pointer is null or the arena is misaligned."
            + (" What\n * the callback returns, if that is not 0, ends the run and is returned."
               if self.by_rows else "")
            + " */",
            f"{self._signature()};",
        ]  # fmt: skip
        if self._state():
            lines += [
                f"\n#define {m}_HAS_STATE 1",
                "/* Clear the recurrent state kept in the arena. */",
                f"void {self.name}_reset(void *arena);",
            ]
        lines.append("\n#ifdef __cplusplus\n}\n#endif\n\n#endif")
        return "\n".join(lines) + "\n"

    def _rows_type(self) -> Iterator[str]:
        """Yield the type of the callback that gives an input by rows."""
        if self.by_rows:
            index = self.graph.inputs.index(self.by_rows)
            tensor = self.graph[self.by_rows]
            yield (
                f"/* Write `count` rows of input {index}, from row `first` on, to `to`; return 0."
                "\n * Rows come from the top down, each once. */\n"
                f"typedef int (*{self.name}_rows_fn)(\n    void *user, int32_t first, "
                f"int32_t count, {tensor.dtype.c_type} *to);\n"
            )

    def _port(self, kind: str, index: int, name: str) -> Iterator[str]:
        tensor = self.graph[name]
        prefix = f"#define {self.macro}_{kind}_{index}"
        shape = " x ".join(map(str, tensor.shape)) or "scalar"
        yield f"\n/* {cwriter.comment_text(name)}: {tensor.dtype.value}, {shape} */"
        yield f"{prefix}_SIZE {tensor.size}u"
        yield f"{prefix}_BYTES {tensor.size_bytes}u"
        offsets = self.plan.inputs_at if kind == "INPUT" else self.plan.outputs_at
        if name == self.by_rows:
            yield f"{prefix}_ROWS {tensor.shape[1]}u"
            yield f"{prefix}_ROW_BYTES {tensor.size_bytes // tensor.shape[1]}u"
        else:
            yield f"{prefix}_OFFSET {offsets[index]}u"
        if tensor.quant is not None and not tensor.quant.per_channel:
            yield f"{prefix}_SCALE {cwriter.float_literal(tensor.q.scale)}"
            yield f"{prefix}_ZERO_POINT ({tensor.q.zero_point})"

    def _signature(self) -> str:
        args = [f"{self.name}_rows_fn read", "void *user"] if self.by_rows else []
        args += [
            f"const {self.graph[n].dtype.c_type} *input_{i}"
            for i, n in enumerate(self.graph.inputs)
            if n != self.by_rows
        ]
        args += [
            f"{self.graph[n].dtype.c_type} *output_{i}" for i, n in enumerate(self.graph.outputs)
        ]
        rows = "_rows" if self.by_rows else ""
        return f"int {self.name}_run{rows}(\n{cwriter.wrap([*args, 'void *arena'])})"

    def _state(self) -> list[Tensor]:
        return _state(self.graph, self.plan)

    def code(self) -> str:
        params: list[str] = []
        calls: list[str] = []
        for index, (op, step) in enumerate(zip(self.graph.ops, self.plan.steps, strict=True)):
            if step.program is not None:
                params.append(self._stripes(index, op, step, step.program))
            elif step.params:
                params.append(self._params(f"{index}", op, step))
            calls.append(self._call(index, op, step))
        kernels = [p for step in self.plan.steps for p in step.parts if p.kernel]
        headers = sorted({p.header or p.kernel for p in kernels})
        pointers = ["read"] if self.by_rows else []
        pointers += [f"input_{i}" for i, n in enumerate(self.graph.inputs) if n != self.by_rows]
        pointers += [f"output_{i}" for i in range(len(self.graph.outputs))]
        guard = " || ".join(f"{p} == NULL" for p in [*pointers, "arena"])
        uses = "".join(calls)
        parts = [
            self.banner,
            f'#include "{self.name}.h"\n',
            "#include <stddef.h>" + ("\n#include <string.h>" if self._copies() else "") + "\n",
            "".join(f'#include "{h}.h"\n' for h in headers),
            "#ifdef EDGEC_PROFILE\n#include \"edgec_profile.h\"\n#else\n"
            "#define EDGEC_LAYER(layer, output, data, bytes) ((void)0)\n#endif\n",
            "".join(self.externs),
            "\n".join(params),
            self._reset(),
            f"{self._signature()}\n{{",
            "    uint8_t *const a = arena;",
            f"    if ({guard} || (uintptr_t)arena % {self.macro}_ARENA_ALIGN != 0) {{",
            "        return -1;\n    }",
            *([] if re.search(r"\ba\b", uses) else ["    (void)a;"]),
            uses + "    return 0;\n}",
        ]  # fmt: skip
        return "\n".join(p for p in parts if p) + "\n"

    def _copies(self) -> bool:
        programs = [s.program for s in self.plan.steps if s.program is not None]
        return bool(self.plan.copies or self._state() or any(map(striped_code.copies, programs)))

    def _reset(self) -> str:
        state = self._state()
        if not state:
            return ""
        body = "".join(
            f"    memset((uint8_t *)arena + {self.plan.places[t.name].at}, "
            f"{t.quant.zero_point if t.quant else 0}, {t.size_bytes});\n"
            for t in state
        )
        return f"void {self.name}_reset(void *arena)\n{{\n{body}}}\n"

    def _params(self, number: str, op: Op, step: Step) -> str:
        fields = [
            (field, self._value(f"{number}_{field}", value)) for field, value in step.params.items()
        ]
        head = f"static const {step.kernel}_params layer_{number} = {{ /* {op.builtin} */"
        return f"{head}\n{cwriter.initializer(fields)}\n}};\n"

    def _stripes(self, index: int, op: Op, step: Step, program: Program) -> str:
        """Return the function of an op computed by stripes, after the parameters of its calls."""
        structs: dict[int, str] = {}
        texts: list[str] = []
        for action in program.calls():
            if action.step.params and id(action.step) not in structs:
                number = f"{index}_{len(structs)}"
                structs[id(action.step)] = f"layer_{number}"
                texts.append(self._params(number, program.members[action.member], action.step))

        def constant(name: str) -> str:
            tensor = program.tensors[name]
            shape = " x ".join(map(str, tensor.shape))
            number = list(program.tensors).index(name)
            return self.constant(f"{index}_c{number}", tensor.values, shape)

        scratch = bool(step.scratch_bytes)
        symbols = striped_code.Symbols(f"layer_{index}", structs, constant, f"{self.name}_rows_fn")
        return "\n".join(
            [*texts, striped_code.function(program, symbols, step.inputs, scratch=scratch)]
        )

    def _value(self, symbol: str, value: Value) -> str:
        if value is None:
            return "NULL"
        if isinstance(value, Const):
            return self.constant(symbol, value.data, value.comment)
        if isinstance(value, (int, float)):
            return cwriter.literal(value)
        return "{" + ", ".join(cwriter.literal(v) for v in value) + "}"

    def constant(self, symbol: str, data: Array, comment: str) -> str:
        """Return the symbol of a constant array; equal arrays share one."""
        flat = np.ascontiguousarray(data)
        key = (f"{data.dtype}{comment == _STREAM}", hashlib.sha256(flat.data).hexdigest())
        if key in self.symbols:
            return self.symbols[key]
        name = f"{self.name}_{cwriter.identifier(symbol)}"
        self.symbols[key] = name
        self.weights.append(Symbol(name, flat, comment))
        count = len(flat) if comment == _STREAM else data.size
        self.externs.append(f"extern const {_c_type(self.weights[-1])} {name}[{count}];\n")
        return name

    def weights_file(self) -> str:
        streams = any(symbol.comment == _STREAM for symbol in self.weights)
        needs = '#include "edgec_requant.h"\n' if streams else ""
        body = (
            "\n".join(map(_array, self.weights))
            or "typedef int edgec_no_weights; /* C99 wants a line */\n"
        )
        return f"{self.banner}\n#include <stdint.h>\n{needs}\n{body}"

    def pointer(self, name: str, const: bool) -> str:
        """Return the C expression of a value's memory."""
        tensor, place = self.graph[name], self.plan.places[name]
        if place.region is Region.CONSTANT:
            shape = " x ".join(map(str, tensor.shape))
            return self.constant(f"c_{list(self.graph.tensors).index(name)}", tensor.values, shape)
        if place.region is Region.INPUT:
            return self._cast(self.graph[self.graph.inputs[place.at]], tensor, f"input_{place.at}")
        if place.region is Region.OUTPUT:
            owner = self.graph[self.graph.outputs[place.at]]
            return self._cast(owner, tensor, f"output_{place.at}")
        qualifier = "const " if const else ""
        return f"({qualifier}{tensor.dtype.c_type} *)(void *)(a + {place.at})"

    @staticmethod
    def _cast(owner: Tensor, tensor: Tensor, text: str) -> str:
        return text if owner.dtype is tensor.dtype else f"(const void *){text}"

    def _call(self, index: int, op: Op, step: Step) -> str:
        graph = self.graph
        shape = " x ".join(map(str, graph[op.outputs[0]].shape))
        lines = [f"    /* {index}: {op.title} -> {shape} */"]
        if step.view:
            if index in self.plan.copies:
                out, source = self.pointer(op.outputs[0], False), self.pointer(op.inputs[0], True)
                lines.append(f"    memcpy({out}, {source}, {graph[op.outputs[0]].size_bytes});")
        else:
            lines += self._kernel_call(index, op, step)
        for position, name in enumerate(op.outputs):
            where, size = self.pointer(name, True), graph[name].size_bytes
            lines.append(f"    EDGEC_LAYER({index}, {position}, {where}, {size});")
        return "\n".join(lines) + "\n"

    def _kernel_call(self, index: int, op: Op, step: Step) -> list[str]:
        names = [op.inputs[i] for i in step.inputs]
        ins = [self.pointer(n, not self.graph[n].variable) for n in names]
        outs = [self.pointer(n, False) for n in op.outputs]
        if step.program is not None:
            memory = [f"a + {self.plan.scratch[index]}"] if step.scratch_bytes else []
            return striped_code.call(f"layer_{index}", step.program, [*ins, *outs, *memory])
        args = [f"&layer_{index}"] if step.params else []
        lines: list[str] = []
        if step.arrays:
            lines.append(f"    {{\n        const void *const in[] = {{{', '.join(ins)}}};")
            lines.append(f"        void *const out[] = {{{', '.join(outs)}}};")
            args += ["in", "out"]
        else:
            args += ins + outs
        if step.scratch_bytes is not None:
            at = self.plan.scratch[index]
            args.append("NULL" if at is None else f"a + {at}")
        indent = "        " if step.arrays else "    "
        lines.append(f"{indent}{step.kernel}(\n{cwriter.wrap(args, indent + '    ')});")
        if step.arrays:
            lines.append("    }")
        return lines
