"""Writes the firmware's glue: the C that ties the bench firmware to one generated model."""

from __future__ import annotations

from edgec.codegen import cwriter, mlperf
from edgec.codegen.model_info import ModelInfo, TensorInfo
from edgec.targets.profile import Target


def glue_header(model: ModelInfo, target: Target) -> str:
    """Return edgec_glue.h: the sizes that the firmware reserves for this model."""
    return f"""{_banner(model, target)}
#ifndef EDGEC_GLUE_H
#define EDGEC_GLUE_H

#define EDGEC_TENSOR_COUNT {len(model.inputs) + len(model.outputs)}u
#define EDGEC_LAYER_RECORDS {max(model.layer_outputs, 2)}u
{mlperf.header(model.task)}
#endif
"""


def glue_source(model: ModelInfo, target: Target, build: str) -> str:
    """Return edgec_glue.c: the model's buffers, its facts, and the calls that run it.

    `build` names the build; the firmware tells it to who asks.
    """
    upper = model.name.upper()
    inputs = [(f"input_{i}", t) for i, t in enumerate(model.inputs)]
    outputs = [(f"output_{i}", t) for i, t in enumerate(model.outputs)]
    own = inputs + [(name, t) for name, t in outputs if t.at is None]
    buffers = "\n".join(
        f"/* {cwriter.comment_text(t.name)} */\n"
        f"static {t.c_type} {name}[{t.size}] __attribute__((aligned(16)));"
        for name, t in own
    )
    table = "\n".join(
        f"    {{(uint8_t *){name}, sizeof {name}}},"
        if (name, t) in own
        else f"    {{arena + {t.at}, {t.size_bytes}u}},"
        for name, t in (*inputs, *outputs)
    )
    arguments = ",\n        ".join(
        [
            *(
                name if t.at is None else f"({t.c_type} *)(void *)(arena + {t.at})"
                for name, t in (*inputs, *outputs)
                if not t.rows
            ),
            "arena",
        ]
    )
    rows = "".join(_rows_callback(name, t) for name, t in inputs)
    run = f"{model.name}_run_rows(\n        give_rows, NULL, " if rows else (
        f"{model.name}_run(\n        "
    )  # fmt: skip
    loads = "".join(
        f"    memcpy(arena + {t.at}, {name}, sizeof {name});\n"
        for name, t in inputs
        if t.at is not None
    )
    reset = f"    {model.name}_reset(arena);\n" if model.has_state else ""
    return f"""{_banner(model, target)}
#include <string.h>

#include "edgec_model.h"
#include "{model.name}.h"

{buffers}
static uint8_t arena[{max(model.arena_bytes, 1)}] __attribute__((aligned({model.arena_align})));

#if {upper}_ARENA_BYTES != {model.arena_bytes}
#error "this firmware was rendered for another build of {model.name}"
#endif

const edgec_model_info edgec_model = {{
    .name = "{model.name}",
    .sha256 = {{
{_c_bytes(model.sha256)}}},
    .target = "{target.name}",
    .build = "{build}",
    .arena_bytes = {model.arena_bytes}u,
    .layers = {model.layers},
    .inputs = {len(model.inputs)},
    .outputs = {len(model.outputs)},
    .has_state = {int(model.has_state)},
#ifdef EDGEC_PROFILE
    .profile = 1,
#endif
}};

const edgec_buffer edgec_tensors[EDGEC_TENSOR_COUNT] = {{
{table}
}};

void edgec_model_load(void)
{{
{loads}}}

{rows}int edgec_model_run(void)
{{
    return {run}{arguments});
}}

void edgec_model_reset(void)
{{
    memset(arena, 0, sizeof arena);
{reset}}}
{_mlperf_source(model)}"""


def _mlperf_source(model: ModelInfo) -> str:
    inputs = [tensor.port for tensor in model.inputs]
    outputs = [tensor.port for tensor in model.outputs]
    return mlperf.source(model.task, inputs, outputs)


def _rows_callback(name: str, tensor: TensorInfo) -> str:
    """Return the function that gives the model rows of an input; empty where it is given whole."""
    if not tensor.rows:
        return ""
    row = tensor.size // tensor.rows
    return f"""static int give_rows(void *user, int32_t first, int32_t count, {tensor.c_type} *to)
{{
    (void)user;
    memcpy(to, {name} + first * {row}, (size_t)count * {row} * sizeof *to);
    return 0;
}}

"""


def _c_bytes(sha256: str) -> str:
    return cwriter.wrap((f"0x{byte:02x}" for byte in bytes.fromhex(sha256)), " " * 8)


def _banner(model: ModelInfo, target: Target) -> str:
    return cwriter.banner([("model sha256", model.sha256), ("target", target.name)])
