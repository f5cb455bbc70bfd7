"""For those who run TensorFlow Lite Micro: the model as a C array, and its op resolver."""

from __future__ import annotations

import numpy as np

from edgec.codegen import cwriter
from edgec.codegen.emit import Origin
from edgec.pipeline.graph import Graph


def files(name: str, model: bytes, graph: Graph, origin: Origin) -> dict[str, str]:
    """Return `<name>_tflite.h/.c`, the file as an array, and `<name>_ops.h`, a resolver for it."""
    upper = name.upper()
    banner = cwriter.banner(
        [("edgec", origin.version), ("model sha256", graph.sha256), ("target", origin.target)]
    )
    size = len(model)
    header = (
        f"{banner}#ifndef {upper}_TFLITE_H\n#define {upper}_TFLITE_H\n\n"
        '#ifdef __cplusplus\nextern "C" {\n#endif\n\n'
        f"#define {upper}_TFLITE_BYTES {size}u\n"
        f"extern const unsigned char {name}_tflite[{size}];\n\n"
        "#ifdef __cplusplus\n}\n#endif\n\n#endif\n"
    )
    data = np.frombuffer(model, np.uint8)
    source = (
        f'{banner}#include "{name}_tflite.h"\n\n'
        "#if defined(__GNUC__)\n__attribute__((aligned(16)))\n#endif\n"
        + cwriter.array("unsigned char", f"{name}_tflite", data)
    )
    ops = sorted({op.builtin for op in graph.ops})
    adds = "\n".join(f"    r.Add{_method(op)}();" for op in ops)
    resolver = (
        f"{banner}#ifndef {upper}_OPS_H\n#define {upper}_OPS_H\n\n"
        '#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"\n\n'
        f"/* Register the {len(ops)} ops of the model. */\n"
        f"inline tflite::MicroMutableOpResolver<{len(ops)}> {name}_ops() {{\n"
        f"    tflite::MicroMutableOpResolver<{len(ops)}> r;\n{adds}\n    return r;\n}}\n\n#endif\n"
    )
    return {f"{name}_tflite.h": header, f"{name}_tflite.c": source, f"{name}_ops.h": resolver}


def _method(builtin: str) -> str:
    """Return the name in MicroMutableOpResolver: CONV_2D is Conv2D, FULLY_CONNECTED as words."""
    return "".join(
        part.capitalize() if part.isalpha() else part.upper() for part in builtin.split("_")
    )
