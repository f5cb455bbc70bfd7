"""DEPTH_TO_SPACE with blocks of one to three."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema

from tests.support.block_case import add_channel_blocks

BUILTIN = "DEPTH_TO_SPACE"
DTYPES = ("int8", "float32", "int32")
ULPS = 0


def add(draw, model, dtype):
    add_channel_blocks(draw, model, dtype, BUILTIN, schema.DepthToSpaceOptionsT(), spreads=True)
