"""The C function of a layer computed by stripes; turns that differ only by offsets are a loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from edgec.codegen import cwriter
from edgec.codegen.program import Action, Base, Call, Fetch, Move, Program, Spot

_Offsets = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Symbols:
    """What the rest of the generated code calls things.

    `params` are the parameter structs by the id of their step, `constant` gives the symbol of a
    constant tensor by its name.
    """

    function: str
    params: Mapping[int, str]
    constant: Callable[[str], str]
    rows_type: str = ""


@dataclass(frozen=True, slots=True)
class _Run:
    """Turns from `first` on, `count` of them, whose offsets grow by `steps` each time."""

    first: int
    count: int
    steps: _Offsets


def function(program: Program, symbols: Symbols, inputs: Sequence[int], *, scratch: bool) -> str:
    """Return the definition of the function: (inputs, output, working memory) -> 0.

    `inputs` are the numbers of the op's inputs that are pointers; without `scratch` there is no
    working memory. Where rows are fetched, the
    function takes the callback first, and returns what it returns if that is not 0.
    """
    args = [f"const void *x{i}" for i in inputs] + ["void *y"]
    args += ["uint8_t *s"] if scratch else []
    if program.fetched:
        args = [f"{symbols.rows_type} read", "void *user", *args]
    kind = "int" if program.fetched else "void"
    lines = [f"static {kind} {symbols.function}(\n{cwriter.wrap(args)})\n{{"]
    for i in inputs:
        lines.append(f"    const {_kind(program, program.inputs[i])} *const in{i} = x{i};")
    lines.append(f"    {_kind(program, program.output)} *const out = y;")
    for run in _runs(program):
        lines += _run_lines(program, symbols, run)
    if program.fetched:
        lines.append("    return 0;")
    return "\n".join([*lines, "}\n"])


def call(name: str, program: Program, pointers: Sequence[str]) -> list[str]:
    """Return the lines that call the function."""
    if not program.fetched:
        return [f"    {name}(\n{cwriter.wrap(pointers, '        ')});"]
    args = cwriter.wrap(["read", "user", *pointers], "            ")
    return [
        "    {",
        f"        const int stopped = {name}(\n{args});",
        "        if (stopped != 0) {\n            return stopped;\n        }\n    }",
    ]


def copies(program: Program) -> bool:
    """Return whether the function copies memory itself."""
    return any(isinstance(action, Move) for turn in program.turns for action in turn)


def _spots(action: Action) -> tuple[Spot, ...]:
    if isinstance(action, Call):
        return (*action.inputs, action.output)
    return ()


def _shape(action: Action) -> tuple[object, ...]:
    """Return what must be equal in two turns for them to be one piece of code."""
    if isinstance(action, Call):
        spots = tuple((s.base, s.number, s.tensor, _fixed(s)) for s in _spots(action))
        return ("call", id(action.step), action.scratch, spots)
    if isinstance(action, Move):
        return ("move", action.target, action.source, action.size)
    return ("fetch", action.target, len(action.rows))


def _fixed(spot: Spot) -> int | None:
    return None if spot.base in (Base.INPUT, Base.OUTPUT) else spot.at


def _growing(turn: Sequence[Action]) -> _Offsets:
    """Return the numbers that may grow from turn to turn."""
    found: list[int] = []
    for action in turn:
        found += [s.at for s in _spots(action) if _fixed(s) is None]
        if isinstance(action, Fetch):
            found.append(action.rows.start)
    return tuple(found)


def _runs(program: Program) -> Iterator[_Run]:
    turns = program.turns
    shapes = [tuple(_shape(action) for action in turn) for turn in turns]
    offsets = [_growing(turn) for turn in turns]
    first = 0
    while first < len(turns):
        count, steps = 1, tuple(0 for _ in offsets[first])
        while first + count < len(turns) and shapes[first + count] == shapes[first]:
            now, before = offsets[first + count], offsets[first + count - 1]
            grown = tuple(a - b for a, b in zip(now, before, strict=True))
            if count > 1 and grown != steps:
                break
            steps, count = grown, count + 1
        yield _Run(first, count, steps)
        first += count


def _run_lines(program: Program, symbols: Symbols, run: _Run) -> Iterator[str]:
    steps = iter(run.steps)
    indent = "    "
    if run.count > 1:
        yield f"    for (int32_t i = 0; i < {run.count}; ++i) {{"
        indent = "        "
    for action in program.turns[run.first]:
        if isinstance(action, Move):
            apart = action.source - action.target >= action.size
            copy = "memcpy" if apart else "memmove"
            yield f"{indent}{copy}(s + {action.target}, s + {action.source}, {action.size});"
        elif isinstance(action, Fetch):
            yield from _fetch_lines(program, action, next(steps), indent)
        else:
            yield from _call_lines(program, symbols, action, steps, indent)
    if run.count > 1:
        yield "    }"


def _sum(start: int, step: int) -> str:
    return f"{start} + {step} * i" if step else str(start)


def _fetch_lines(program: Program, action: Fetch, step: int, indent: str) -> Iterator[str]:
    kind = _kind(program, program.fetched)
    first, count = _sum(action.rows.start, step), len(action.rows)
    to = f"({kind} *)(void *)(s + {action.target})"
    yield f"{indent}{{"
    yield f"{indent}    const int stopped = read(user, {first}, {count}, {to});"
    yield f"{indent}    if (stopped != 0) {{\n{indent}        return stopped;\n{indent}    }}"
    yield f"{indent}}}"


def _call_lines(
    program: Program, symbols: Symbols, action: Call, steps: Iterator[int], indent: str
) -> Iterator[str]:
    args = [f"&{symbols.params[id(action.step)]}"] if action.step.params else []
    for spot in action.inputs:
        args.append(_pointer(program, symbols, spot, steps, const=True))
    args.append(_pointer(program, symbols, action.output, steps, const=False))
    if action.step.scratch_bytes is not None:
        args.append("NULL" if action.scratch is None else f"s + {action.scratch.at}")
    yield f"{indent}{action.step.kernel}(\n{cwriter.wrap(args, indent + '    ')});"


def _pointer(
    program: Program, symbols: Symbols, spot: Spot, steps: Iterator[int], *, const: bool
) -> str:
    if spot.base is Base.CONSTANT:
        return symbols.constant(spot.tensor)
    size = program.tensors[spot.tensor].dtype.size_bytes
    if spot.base is Base.SCRATCH:
        qualifier = "const " if const else ""
        return f"({qualifier}{_kind(program, spot.tensor)} *)(void *)(s + {spot.at})"
    at = _sum(spot.at // size, next(steps) // size)
    return f"in{spot.number} + {at}" if spot.base is Base.INPUT else f"out + {at}"


def _kind(program: Program, name: str) -> str:
    return program.tensors[name].dtype.c_type
