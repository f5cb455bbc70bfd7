"""From scheduled loops to assembly: plain pointers in, no runtime, no memory of its own."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

_STACK_BYTES = 512
"""Temporaries up to this size may stay on the stack, as they are meant for registers."""
_ALIGN = 16


@dataclass(frozen=True, slots=True)
class Lowered:
    """A function of plain pointers: inputs, output and, if it has any, working memory."""

    function: Any
    scratch_bytes: int


def lowered(function: Any, symbol: str, target: Any, *, apart: bool) -> Lowered:
    """Return a scheduled PrimFunc as loops over plain pointers, under a C symbol.

    What TVM would allocate becomes working memory, the last parameter. `apart` promises the
    compiler that no two pointers lead to the same memory.
    """
    import tvm
    from tvm import tirx

    facts = {"global_symbol": symbol, "target": target, "tirx.noalias": apart}
    named = function.with_attr(facts)
    done = tvm.ir.transform.Sequential(_passes())(tvm.IRModule({symbol: named}))[symbol]
    memory = _Memory()
    body = memory.moved(done.body)
    buffers = [*done.params, *([memory.buffer] if memory.bytes else [])]
    pointers = [tirx.Var(f"{b.name}_at", tirx.buffer.buffer_data_pointer_type(b)) for b in buffers]
    bound = [tirx.DeclBuffer(b, data=p) for b, p in zip(buffers, pointers, strict=True)]
    flat = tirx.PrimFunc(pointers, tirx.SeqStmt([*bound, body]), None, done.attrs)
    return Lowered(flat, memory.bytes)


# LLVM 22 takes the signs of short vectors from registers that VMOVMSKPS cannot name. Without
# AVX512VL short vectors stay out of these.
_UNENCODABLE = re.compile(r"\tvmovmskp[sd]\t%[xy]mm(1[6-9]|2\d|3[01])\b")


def assembled(functions: dict[str, Any], target: Any) -> str:
    """Return the assembly text of lowered functions."""
    text = _assembly(functions, target)
    if _UNENCODABLE.search(text):
        text = _assembly(functions, _without_short(target))
    return text


def _assembly(functions: dict[str, Any], target: Any) -> str:
    import tvm

    aimed = {name: function.with_attr("target", target) for name, function in functions.items()}
    module = tvm.tirx.transform.LowerIntrin()(tvm.IRModule(aimed))
    built = tvm.get_global_func("target.build.llvm")(module, target)
    return _plain(built.inspect_source("asm"))


def _without_short(target: Any) -> Any:
    """Return the target without AVX-512 on vectors of less than 512 bits."""
    import tvm

    facts = dict(target.export())
    kept = [str(flag) for flag in facts.get("mattr", ()) if flag != "+avx512vl"]
    return tvm.target.Target({**facts, "mattr": [*kept, "-avx512vl"]})


def _passes() -> list[Any]:
    """Return the lowering of `tvm.s_tir.pipeline`, without packed calls, devices and threads."""
    from tvm import s_tir, tirx

    s, t = s_tir.transform, tirx.transform
    return [
        s.CanonicalizeLoop(),
        s.LowerInitBlock(),
        s.PlanAndUpdateBufferAllocationLocation(),
        s.ConvertBlocksToOpaque(),
        s.CompactBufferAllocation(),
        s.LowerMatchBuffer(),
        s.StmtSimplify(),
        s.LowerOpaqueBlock(),
        t.FlattenBuffer(),
        t.NarrowDataType(32),
        s.LoopPartition(),
        t.VectorizeLoop(True),
        t.StorageRewrite(),
        t.UnrollLoop(),
        s.RenormalizeSplitPattern(),
        t.StmtSimplify(),
        t.RemoveNoOp(),
        s.RewriteUnsafeSelect(),
        t.CommonSubexprElim(),
        t.VerifyMemory(),
    ]


class _Memory:
    """Collects what is allocated in a function and puts it into one buffer."""

    def __init__(self) -> None:
        from tvm import tirx

        self.bytes = 0
        self.buffer = tirx.decl_buffer((1 << 30,), "uint8", "scratch")

    def moved(self, stmt: Any) -> Any:
        """Return a statement whose allocations are pointers into the buffer; loops are serial."""
        from tvm import tirx

        if isinstance(stmt, tirx.SeqStmt):
            return tirx.SeqStmt([self.moved(each) for each in stmt.seq])
        if isinstance(stmt, tirx.AllocBuffer):
            return self._placed(stmt)
        if isinstance(stmt, tirx.For):
            kind = tirx.ForKind.SERIAL if stmt.kind == tirx.ForKind.PARALLEL else stmt.kind
            return tirx.For(
                stmt.loop_var, stmt.min, stmt.extent, kind, self.moved(stmt.body),
                stmt.thread_binding, stmt.annotations, stmt.step,
            )  # fmt: skip
        if isinstance(stmt, tirx.IfThenElse):
            other = None if stmt.else_case is None else self.moved(stmt.else_case)
            return tirx.IfThenElse(stmt.condition, self.moved(stmt.then_case), other)
        if isinstance(stmt, tirx.AttrStmt):
            return tirx.AttrStmt(stmt.node, stmt.attr_key, stmt.value, self.moved(stmt.body))
        return stmt

    def _placed(self, stmt: Any) -> Any:
        from tvm import tirx

        buffer = stmt.buffer
        items = math.prod(int(d) for d in buffer.shape)
        size = items * _item_bytes(str(buffer.dtype))
        if size <= _STACK_BYTES:
            return stmt
        at = self.bytes
        self.bytes += -(-size // _ALIGN) * _ALIGN
        return tirx.DeclBuffer(buffer, data=tirx.address_of(self.buffer[at]))


def _item_bytes(kind: str) -> int:
    """Return the bytes of a TVM type, as float32 or int8x16."""
    found = re.fullmatch(r"[a-z]+(\d+)(?:x(\d+))?", kind)
    if found is None:
        raise ValueError(f"type {kind}")
    return int(found[1]) // 8 * int(found[2] or 1)


_DEBUG = re.compile(r"\t\.(loc|file|cfi_\w+|ident)\b.*|\.L(tmp|func_begin)\w*:")
_SECTION = re.compile(r"\t\.(section|text|data|bss)\b\t?\"?([.\w-]*)")


def _plain(text: str) -> str:
    """Return assembly without what is for debuggers, and without TVM's functions for float16."""
    kept: list[str] = []
    skipping = False
    for line in text.splitlines():
        section = _SECTION.match(line)
        if section is not None:
            skipping = section[2].startswith((".debug_", ".text.tvm.fp16"))
        if not skipping and not _DEBUG.fullmatch(line):
            kept.append(line)
    return "\n".join(kept) + "\n"
