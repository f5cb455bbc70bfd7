"""From ops to loops: one function of TVM's intermediate language each."""

from __future__ import annotations

from typing import Any

from edgec.pipeline.tvm.fusion import Fused


def loops_of(op: Fused) -> Any:
    """Return the PrimFunc of fused ops, unscheduled: a parameter an input, and one for the output.

    Ops of one shape give functions that are equal, whatever their weights.
    """
    from tvm import te

    known = {t.name: t for t in op.constants} | dict(op.tensors)
    values = {
        name: te.placeholder(known[name].shape or (1,), known[name].dtype.value, f"in_{index}")
        for index, name in enumerate(op.inputs)
    }
    parameters = [values[name] for name in op.inputs]
    brought = iter(op.constants)
    for member, formula in zip(op.members, op.formulas, strict=True):
        args = [values[name] for name in member.inputs[: formula.inputs]]
        args += [values[next(brought).name] for _ in formula.constants]
        values[member.outputs[0]] = formula.compute(*args)
    made, wanted = values[op.outputs[0]], op.tensors[op.outputs[0]]
    if (tuple(map(int, made.shape)), made.dtype) != (wanted.shape or (1,), wanted.dtype.value):
        raise RuntimeError(f"{op.title}: made {made.dtype}{made.shape}, not {wanted}")
    return te.create_prim_func([*parameters, made])
