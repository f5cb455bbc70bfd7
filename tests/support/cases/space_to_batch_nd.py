"""SPACE_TO_BATCH_ND in one or two dimensions with padding."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema

from tests.support.block_case import add_batch_blocks

BUILTIN = "SPACE_TO_BATCH_ND"
DTYPES = ("int8", "int16", "float32", "int32")
ULPS = 0


def add(draw, model, dtype):
    add_batch_blocks(draw, model, dtype, BUILTIN, schema.SpaceToBatchNDOptionsT(), spreads=False)
