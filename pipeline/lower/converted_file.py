"""Mends and checks a `.tflite` that TensorFlow's converter has just made.

TensorFlow's converter keeps the names of a signature but orders the subgraph's tensors as it
likes. The file's two index vectors are overwritten in place; nothing else in it moves.
"""

from __future__ import annotations

import struct
from typing import Any

from edgec.pipeline.errors import UnsupportedModelError

_INPUTS_SLOT, _OUTPUTS_SLOT = 6, 8
"""Where the vtable of a SubGraph holds `inputs` and `outputs` (schema.fbs)."""


def in_signature_order(content: bytes) -> bytes:
    """Return the file with its one subgraph's ports in the order of their signature names.

    Raises UnsupportedModelError where a port of the signature is no port of the subgraph, as when
    an output is an input passed through.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(content)
    signature, subgraph = model.SignatureDefs(0), model.Subgraphs(0)
    inputs = [signature.Inputs(i) for i in range(signature.InputsLength())]
    outputs = [signature.Outputs(i) for i in range(signature.OutputsLength())]
    for slot, ports in ((_INPUTS_SLOT, inputs), (_OUTPUTS_SLOT, outputs)):
        content = _reordered(content, subgraph._tab, slot, ports)
    return content


def _reordered(content: bytes, table: Any, slot: int, ports: list[Any]) -> bytes:
    """Return the file with a vector in another order, the same one where it is in order."""
    offset = table.Offset(slot)
    start, count = table.Vector(offset), table.VectorLen(offset)
    current = list(struct.unpack_from(f"<{count}i", content, start))
    wanted = [port.TensorIndex() for port in sorted(ports, key=lambda port: bytes(port.Name()))]
    if sorted(current) != sorted(wanted):
        raise UnsupportedModelError(
            f"converted model: tensors {sorted(current)} are its ports, its signature names "
            f"{sorted(wanted)}",
            "an input that nothing reads, or an output that is an input, cannot be compiled",
        )
    if current == wanted:
        return content
    changed = struct.pack(f"<{count}i", *wanted)
    whole = memoryview(content)
    return b"".join((whole[:start], changed, whole[start + len(changed) :]))


def require_ports(content: bytes, kind: str) -> None:
    """Raise UnsupportedModelError where an input or output is not `kind`, int8 or int16.

    Inputs may be whole numbers, as token ids: these stay what they are.
    """
    from ai_edge_litert import schema_py_generated as schema

    subgraph = schema.Model.GetRootAs(content).Subgraphs(0)
    types = schema.TensorType
    wanted = {getattr(types, kind.upper())}
    ports = [(index, wanted | {types.INT32, types.INT64}) for index in subgraph.InputsAsNumpy()]
    ports += [(index, wanted) for index in subgraph.OutputsAsNumpy()]
    for index, allowed in ports:
        tensor = subgraph.Tensors(int(index))
        if tensor.Type() not in allowed:
            raise UnsupportedModelError(
                f"converted model: {tensor.Name().decode(errors='replace')!r} is not {kind}",
                "a model that only passes values on has nothing to quantise"
                if kind == "int8"
                else "the converter has no int16 form of a layer next to it; quantise to int8",
            )


def float_ops(content: bytes) -> tuple[str, ...]:
    """Return the names of the ops that compute in float32, each once, sorted."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if name.isupper()}
    found = set()
    for subgraph in model.subgraphs:
        for op in subgraph.operators:
            kinds = {subgraph.tensors[index].type for index in op.outputs if index >= 0}
            if schema.TensorType.FLOAT32 in kinds:
                code = model.operatorCodes[op.opcodeIndex]
                found.add(names[max(code.builtinCode, code.deprecatedBuiltinCode)])
    return tuple(sorted(found))
