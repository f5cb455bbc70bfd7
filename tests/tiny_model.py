"""A hand-made generated library, the shape the emitter writes, for tests of the device half."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgec.codegen.model_info import ModelInfo, TensorInfo

SHA256 = hashlib.sha256(b"tiny").hexdigest()

MODEL = ModelInfo(
    name="tiny",
    sha256=SHA256,
    inputs=(TensorInfo("a", "int8_t", 2000, 2000), TensorInfo("b", "int8_t", 4, 4)),
    outputs=(TensorInfo("y", "int8_t", 2000, 2000),),
    arena_bytes=2000,
    layers=2,
    layer_outputs=2,
)

_HEADER = """#ifndef TINY_H
#define TINY_H
#include <stdint.h>
#define TINY_ABI_VERSION 1
#define TINY_ARENA_BYTES 2000
#define TINY_ARENA_ALIGN 16u
#define TINY_INPUT_COUNT 2
#define TINY_OUTPUT_COUNT 1
#define TINY_LAYER_COUNT 2
int tiny_run(const int8_t *input_0, const int8_t *input_1, int8_t *output_0, void *arena);
#endif
"""

_SOURCE = """#include "tiny.h"
#include <string.h>
#include "tiny_weights.h"
#include "edgec_spin.h"
#ifdef EDGEC_PROFILE
#include "edgec_profile.h"
#endif

int tiny_run(const int8_t *input_0, const int8_t *input_1, int8_t *output_0, void *arena)
{
    int8_t *mid = arena;
    for (int i = 0; i < 2000; ++i) {
        mid[i] = (int8_t)(input_0[i] ^ tiny_weights[i % 4]);
    }
#ifdef EDGEC_PROFILE
    EDGEC_LAYER(0, 0, mid, 2000);
#endif
    edgec_spin((uint32_t)(uint8_t)input_1[0] * 1000u + 1u);
    memcpy(output_0, mid, 2000);
    output_0[0] = input_1[3];
#ifdef EDGEC_PROFILE
    EDGEC_LAYER(1, 0, output_0, 2000);
#endif
    return 0;
}
"""

_WEIGHTS = """#include "tiny_weights.h"
const int8_t tiny_weights[4] = {1, 2, 3, 4};
"""

_WEIGHTS_HEADER = """#ifndef TINY_WEIGHTS_H
#define TINY_WEIGHTS_H
#include <stdint.h>
extern const int8_t tiny_weights[4];
#endif
"""

# Two instructions a turn on every Arm core, so that a test knows the count.
_SPIN = """/* edgec: hot */
#include "edgec_spin.h"
void edgec_spin(uint32_t turns)
{
#if defined(__arm__)
    __asm__ volatile(
        ".syntax unified\\n1:\\tsubs %0, %0, #1\\n\\tbne 1b" : "+l"(turns) : : "cc");
#else
    for (volatile uint32_t i = 0; i < turns; ++i) {
    }
#endif
}
"""

_SPIN_HEADER = """#ifndef EDGEC_SPIN_H
#define EDGEC_SPIN_H
#include <stdint.h>
void edgec_spin(uint32_t turns);
#endif
"""


def write_tiny(folder: Path) -> Path:
    """Write the library's files and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {
        "tiny.h": _HEADER,
        "tiny.c": _SOURCE,
        "tiny_weights.c": _WEIGHTS,
        "tiny_weights.h": _WEIGHTS_HEADER,
        "edgec_spin.c": _SPIN,
        "edgec_spin.h": _SPIN_HEADER,
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def expected(
    a: npt.NDArray[np.int8], b: npt.NDArray[np.int8]
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    """Return what layer 0 and the output must be."""
    mid = a ^ np.resize(np.array([1, 2, 3, 4], np.int8), a.shape)
    out = mid.copy()
    out[0] = b[3]
    return mid, out
